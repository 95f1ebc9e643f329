/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program needs to start: judged by starting it with nothing else. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0 };

static void make_script(const char *path, const char *contents) {
    make_file(path, contents);
    CHECK_INT(chmod(path, 0755), 0);
}

struct start {
    const char *const *argv;
    bool is_granted;
};

/* Ends with the status of the program, or the errno of exec. */
static void start(void *argument) {
    const struct start *start = argument;
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    if (start->is_granted) {
        CHECK_OK(nono_capability_set_allow_program(caps, start->argv[0], NULL));
    }
    CHECK_OK(nono_capability_set_allow_file(caps, "/dev/null", NONO_ACCESS_MODE_READ_WRITE));
    apply(caps);
    pid_t child = fork();
    if (child == 0) {
        unsetenv("LD_PRELOAD");
        (void)freopen("/dev/null", "w", stdout);
        (void)freopen("/dev/null", "w", stderr);
        execv(start->argv[0], (char *const *)start->argv);
        _exit(errno);
    }
    int status = 0;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(WIFEXITED(status) ? WEXITSTATUS(status) : -1, start->is_granted ? 0 : EACCES);
}

/* Starts it with its requirements, and without. */
static void starts(const char *const *argv) {
    if (!has_landlock(1)) {
        return;
    }
    if (access(argv[0], X_OK) != 0) {
        check_skip(text("there is no %s", argv[0]));
        return;
    }
    for (int is_granted = 0; is_granted < 2; is_granted++) {
        struct start how = {argv, is_granted != 0};
        CHECK(in_child_with(start, &how));
    }
}

#define STARTS(...) starts((const char *const[]){__VA_ARGS__, NULL})

static void programs(void) {
    STARTS("/bin/true");
    STARTS("/bin/sh", "-c", ":");
    STARTS("/bin/bash", "-c", "true");
    STARTS("/usr/bin/git", "--exec-path");
    STARTS("/usr/bin/python3", "-I", "-c", "import json, ssl, socket");
}

static void scripts(void) {
    make_script("script", "#!/bin/sh\nexit 0\n");
    make_script("spaced", "#! \t/bin/sh  -e \nexit 0\n");
    make_script("nested", text("#!%s\n", absolute("script")));
    make_script("environment", "#!/usr/bin/env sh\nexit 0\n");
    make_script("split", "#!/usr/bin/env -S sh -e\nexit 0\n");
    STARTS(absolute("script"));
    STARTS(absolute("spaced"));
    STARTS(absolute("nested"));
    STARTS(absolute("environment"));
    STARTS(absolute("split"));
    CHECK_INT(symlink("script", "link"), 0);
    STARTS(text("%s/link", absolute(".")));
}

static void grants(void) {
    make_script("script", "#!/bin/sh\n");
    struct NonoCapabilitySet *caps = nono_program_requirements("./script", NULL);
    CHECK(caps != NULL);
    CHECK(nono_capability_set_fs_count(caps) >= 3);
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), absolute("script"));
    CHECK_OWNED(nono_capability_set_fs_original(caps, 0), "./script");
    CHECK_OWNED(nono_capability_set_fs_original(caps, 1), "/bin/sh");
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 1), absolute("/bin/sh"));
    for (uintptr_t i = 0; i < nono_capability_set_fs_count(caps); i++) {
        CHECK_INT(nono_capability_set_fs_access(caps, i), READ);
        CHECK_INT(nono_capability_set_fs_source_tag(caps, i), NONO_CAPABILITY_SOURCE_TAG_SYSTEM);
    }
    CHECK(!nono_capability_set_is_network_blocked(caps));
    nono_capability_set_free(caps);

    char *json = nono_program_requirements_to_json("./script", NULL);
    const char *first = text("[{\"path\":\"%s\",\"is_file\":true,\"kind\":\"program\",\"name\":\"./script\","
                             "\"needed_by\":\"./script\"},{\"path\":",
                             absolute("script"));
    CHECK(json != NULL && strncmp(json, first, strlen(first)) == 0);
    CHECK(strstr(json, "\"kind\":\"interpreter\",\"name\":\"/bin/sh\",\"needed_by\":\"./script\"}") != NULL);
    CHECK(strstr(json, "\"kind\":\"loader\"") != NULL);
    CHECK(strstr(json, "\"kind\":\"library\"") != NULL);
    nono_string_free(json);
}

static void search_paths(void) {
    make_directory("a");
    make_directory("b");
    make_file("a/tool", "#!/bin/sh\n"); /* not to be executed */
    make_script("b/tool", "#!/bin/sh\n");
    struct NonoCapabilitySet *caps =
        nono_program_requirements("tool", text("%s:/nonexistent:%s", absolute("a"), absolute("b")));
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), absolute("b/tool"));
    nono_capability_set_free(caps);
    CHECK_INT(setenv("PATH", absolute("b"), 1), 0);
    caps = nono_program_requirements("tool", NULL);
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), absolute("b/tool"));
    nono_capability_set_free(caps);
}

#define MISSING(call, program, why, about)                                                                             \
    FAILS(call, NONO_ERROR_CODE_ERR_PATH_NOT_FOUND, CONFIGURATION_ERROR, .message = "Cannot start " program ": " why,  \
          .os_error = ENOENT, .path = about)
#define UNUSABLE(call, program, why, number)                                                                           \
    FAILS(call, NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION, CONFIGURATION_ERROR,                                        \
          .message = "Cannot start " program ": " why, .os_error = number, .path = program)

static void errors(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
#define ALLOW(program) nono_capability_set_allow_program(caps, program, "/nonexistent")
    FAILS_ARGUMENT(nono_capability_set_allow_program(NULL, "/bin/true", NULL), "caps pointer is NULL");
    FAILS_ARGUMENT(nono_capability_set_allow_program(caps, NULL, NULL), "program is NULL");
    FAILS_NULL(nono_program_requirements(NULL, NULL), OTHER, .message = "program is NULL");
    FAILS_NULL(nono_program_requirements_to_json(NULL, NULL), OTHER, .message = "program is NULL");
    FAILS_NULL(nono_explain_exec_failure(NULL, "/bin/true", NULL, 0), OTHER, .message = "caps pointer is NULL");
    FAILS_NULL(nono_explain_exec_failure(caps, NULL, NULL, 0), OTHER, .message = "program is NULL");

    MISSING(ALLOW("true"), "true", "it is not in the search path", "true");
    MISSING(ALLOW(""), "", "it is not in the search path", "");
    MISSING(ALLOW("./no"), "./no", "it does not exist", "./no");
    make_directory("directory");
    UNUSABLE(ALLOW("./directory"), "./directory", "it is not a regular file", EACCES);
    CHECK_INT(mkfifo("fifo", 0755), 0);
    UNUSABLE(ALLOW("./fifo"), "./fifo", "it is not a regular file", EACCES);
    make_script("empty", "");
    UNUSABLE(ALLOW("./empty"), "./empty", "it is neither a 64-bit ELF program nor a script with #! in front", ENOEXEC);
    make_script("text", "echo\n");
    UNUSABLE(ALLOW("./text"), "./text", "it is neither a 64-bit ELF program nor a script with #! in front", ENOEXEC);
    make_script("magic", "\x7f"
                         "ELF");
    UNUSABLE(ALLOW("./magic"), "./magic", "it is neither a 64-bit ELF program nor a script with #! in front", ENOEXEC);
    make_script("script", "#!/no/interpreter -x\n");
    MISSING(ALLOW("./script"), "./script", "its interpreter /no/interpreter does not exist", "/no/interpreter");
    make_script("environment", "#!/usr/bin/env tool\n");
    MISSING(ALLOW("./environment"), "./environment", "its interpreter tool is not in the search path", "tool");
    make_script("outer", text("#!%s\n", absolute("script")));
    FAILS(ALLOW("./outer"), NONO_ERROR_CODE_ERR_PATH_NOT_FOUND, CONFIGURATION_ERROR,
          .message = text("Cannot start ./outer: its interpreter /no/interpreter does not exist, needed by %s",
                          absolute("script")),
          .os_error = ENOENT, .path = "/no/interpreter");
    CHECK_INT(nono_capability_set_fs_count(caps), 0);
    nono_capability_set_free(caps);
}

/* A script that is its own interpreter, and two that are each other's. */
static void cycles(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    make_script("self", text("#!%s/self\n", absolute(".")));
    make_script("one", text("#!%s/two\n", absolute(".")));
    make_script("two", text("#!%s/one\n", absolute(".")));
    const char *const programs[] = {"./self", "./one"};
    for (size_t i = 0; i < 2; i++) {
        nono_clear_error();
        CHECK_INT(nono_capability_set_allow_program(caps, programs[i], NULL),
                  NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION);
        CHECK_INT(nono_last_os_error(), ELOOP);
    }
    CHECK_INT(nono_capability_set_fs_count(caps), 0);
    nono_capability_set_free(caps);
}

static void check_explanation(const struct NonoCapabilitySet *caps, const char *program, int error, const char *why) {
    char *actual = nono_explain_exec_failure(caps, program, NULL, error);
    CHECK_OWNED(actual, text("cannot execute %s: %s", program, why));
}

static void explanations(void) {
    make_script("script", "#!/bin/sh\n");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    check_explanation(caps, "./script", EACCES, text("it is not granted for reading; grant %s", absolute("script")));
    CHECK_OK(nono_capability_set_allow_file(caps, "script", READ));
    check_explanation(caps, "./script", EACCES,
                      text("its interpreter /bin/sh is not granted for reading; grant %s", absolute("/bin/sh")));
    CHECK_OK(nono_capability_set_allow_file(caps, "/bin/sh", READ));
    char *explanation = nono_explain_exec_failure(caps, "./script", NULL, EACCES);
    CHECK(strstr(explanation, "its loader /lib") != NULL && strstr(explanation, "; grant /") != NULL);
    nono_string_free(explanation);

    struct NonoCapabilitySet *all = nono_program_requirements("./script", NULL);
    check_explanation(all, "./script", EACCES,
                      "all that it needs is granted; a directory on the way or a mount option refuses it");
    check_explanation(all, "./script", 0, "all that it needs is there and granted");
    check_explanation(all, "./script", ENOMEM, "Cannot allocate memory (os error 12)");
    CHECK_INT(chmod("script", 0644), 0);
    check_explanation(all, "./script", EACCES, "it has no permission to be executed");
    nono_capability_set_free(all);

    check_explanation(caps, "./no", ENOENT, "it does not exist");
    make_script("text", "echo\n");
    CHECK_OK(nono_capability_set_allow_file(caps, "text", READ));
    check_explanation(caps, "./text", ENOEXEC, "it is neither a 64-bit ELF program nor a script with #! in front");
    nono_capability_set_free(caps);

    /* Libraries matter when the kernel has done its part. */
    caps = nono_capability_set_new();
    struct NonoCapabilitySet *needed = nono_program_requirements("/bin/true", NULL);
    for (uintptr_t i = 0; i < 2; i++) {
        char *path = nono_capability_set_fs_resolved(needed, i);
        CHECK_OK(nono_capability_set_allow_file(caps, path, READ));
        nono_string_free(path);
    }
    explanation = nono_explain_exec_failure(caps, "/bin/true", NULL, 0);
    CHECK(strstr(explanation, "cannot execute /bin/true: its l") == explanation);
    nono_string_free(explanation);
    nono_capability_set_free(needed);
    nono_capability_set_free(caps);
}

static const struct test tests[] = {
    {"programs", programs},         {"scripts", scripts}, {"grants", grants},
    {"search_paths", search_paths}, {"errors", errors},   {"cycles", cycles},
    {"explanations", explanations},
};

CHECK_MAIN("programs", tests)
