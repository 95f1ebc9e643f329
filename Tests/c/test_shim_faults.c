/* SPDX-License-Identifier: Apache-2.0
 *
 * Every system call of the library fails: with what words, and with what left behind. Needs the shim
 * (Tests/shim/faults.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, READ_WRITE = 2 };

#define SANDBOX_INIT NONO_ERROR_CODE_ERR_SANDBOX_INIT
#define UNKNOWN NONO_ERROR_CODE_ERR_UNKNOWN
#define INIT_FAILED "Sandbox initialization failed: "

static void begin(const char *faults) {
    setenv("NONO_TEST_FAIL", faults, 1);
}

static void end(void) {
    unsetenv("NONO_TEST_FAIL");
    /* A call that finds it unset makes the shim count anew. */
    char *directory = getcwd(NULL, 0);
    free(directory);
}

/* One set for all: two directories, a file, a port. */
static struct NonoCapabilitySet *make_caps(void) {
    make_directory("d");
    make_file("d/f", "");
    make_directory("e");
    make_file("f", "");
    make_file("secret", "secret");
    struct NonoCapabilitySet *caps = caps_with_path("d", READ_WRITE);
    CHECK_OK(nono_capability_set_allow_path(caps, "e", READ));
    CHECK_OK(nono_capability_set_allow_file(caps, "f", READ));
    CHECK_OK(nono_capability_set_set_proxy_port(caps, 8080));
    return caps;
}

/* The process has all its rights, but for setuid programs when no_new_privs is set, and no more descriptors. */
static void check_unrestricted(int descriptors, bool no_new_privs) {
    CHECK_INT(try_read("secret"), 0);
    CHECK_INT(try_append("secret"), 0);
    CHECK_INT(try_create("new"), 0);
    CHECK_INT(try_remove("new"), 0);
    CHECK_INT(try_bind(0), 0);
    CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), no_new_privs);
    CHECK_INT(open_descriptors(), descriptors);
}

/* Applies with a fault. */
#define APPLY_FAILS(faults, code, diagnostic, ...)                                                                     \
    do {                                                                                                               \
        begin(faults);                                                                                                 \
        FAILS(nono_sandbox_apply(caps), code, diagnostic, __VA_ARGS__);                                                \
        end();                                                                                                         \
        check_unrestricted(descriptors, false);                                                                        \
    } while (0)

static void apply_faults(void) {
    if (!has_landlock(4)) {
        return;
    }
    struct NonoCapabilitySet *caps = make_caps();
    const char *d = absolute("d");
    const char *e = absolute("e");
    const char *f = absolute("f");
    int descriptors = open_descriptors();
    static const char none[] =
        INIT_FAILED "No supported Landlock ABI detected (last error: ABI V1: filesystem access probe failed: fully "
                    "incompatible access-rights: BitFlags<AccessFs>(0b1111111111111, Execute | WriteFile | ReadFile | "
                    "ReadDir | RemoveDir | RemoveFile | MakeChar | MakeDir | MakeReg | MakeSock | MakeFifo | "
                    "MakeBlock | MakeSym))";
    APPLY_FAILS("landlock_version:38", SANDBOX_INIT, UNSUPPORTED_PLATFORM_FEATURE, .message = none);
    APPLY_FAILS("landlock_version:95", SANDBOX_INIT, UNSUPPORTED_PLATFORM_FEATURE, .message = none);

    APPLY_FAILS("landlock_create_ruleset:24", SANDBOX_INIT, OTHER, .os_error = EMFILE,
                .message = INIT_FAILED "No supported Landlock ABI detected (last error: ABI V1: ruleset creation probe "
                                       "failed: failed to create a ruleset: Too many open files (os error 24))");

    static const char *const which[] = {":1", ":2", ":3", ""};
    const char *about[] = {d, e, f, d};
    for (size_t i = 0; i < 4; i++) {
        APPLY_FAILS(text("landlock_add_rule:22%s", which[i]), SANDBOX_INIT, OTHER, .os_error = EINVAL, .path = about[i],
                    .message = text(INIT_FAILED "Cannot add Landlock rule for %s: failed to add a rule: Invalid "
                                                "argument (os error 22) (filesystem may not support Landlock)",
                                    about[i]));
        APPLY_FAILS(text("openat2:13%s", which[i]), UNKNOWN, IO_ERROR, .os_error = EACCES, .path = about[i],
                    .message =
                        text("Landlock path error: failed to open \"%s\": Permission denied (os error 13)", about[i]));
        APPLY_FAILS(text("openat2:40%s", which[i]), SANDBOX_INIT, OTHER, .path = about[i],
                    .message = text(INIT_FAILED "%s is not the %s that was granted: a symbolic link is on the way to "
                                                "it. Grant the path again if it is meant.",
                                    about[i], i == 2 ? "regular file" : "directory"));
        APPLY_FAILS(text("fstat:5%s", which[i]), UNKNOWN, IO_ERROR, .os_error = EIO, .path = about[i],
                    .message = text("Landlock path error: failed to examine \"%s\": Input/output error (os error 5)",
                                    about[i]));
    }
    APPLY_FAILS("landlock_add_rule:22:4", SANDBOX_INIT, OTHER, .os_error = EINVAL,
                .message = INIT_FAILED "Cannot add Landlock rule for TCP port 8080: failed to add a rule: Invalid "
                                       "argument (os error 22)");
    APPLY_FAILS("no_new_privs:1", SANDBOX_INIT, OTHER, .os_error = EPERM,
                .message = INIT_FAILED "Failed to restrict self: failed to set no_new_privs: Operation not permitted "
                                       "(os error 1)");

    /* An errno that the system has no words for. */
    APPLY_FAILS("no_new_privs:4000", SANDBOX_INIT, OTHER, .os_error = 4000,
                .message = INIT_FAILED "Failed to restrict self: failed to set no_new_privs: Unknown error 4000 "
                                       "(os error 4000)");
    nono_capability_set_free(caps);
}

/* A descriptor for each rule is open only for a moment, and none afterwards. */
static void many_rules(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (int i = 0; i < 2000; i++) {
        CHECK_OK(nono_capability_set_allow_path(caps, "/", READ));
    }
    int descriptors = open_descriptors();
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK_INT(open_descriptors(), descriptors);
    nono_capability_set_free(caps);
}

static void descriptors(void) {
    if (has_landlock(1)) {
        in_child(many_rules);
    }
}

/* Grants and queries with a fault: the error of realpath(3), or no answer but "not granted". */
#define GRANT_FAILS(faults, path_text, code, diagnostic, error, message_text)                                          \
    do {                                                                                                               \
        begin(faults);                                                                                                 \
        FAILS(nono_capability_set_allow_path(caps, path_text, READ), NONO_ERROR_CODE_ERR_##code, diagnostic,           \
              .os_error = (error), .path = (path_text), .message = (message_text));                                    \
        end();                                                                                                         \
        CHECK_INT(nono_capability_set_fs_count(caps), 0);                                                              \
        CHECK_INT(open_descriptors(), open_before);                                                                    \
    } while (0)

static void grant_faults(void) {
    make_directory("d");
    make_link("d", "l");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    int open_before = open_descriptors();
    GRANT_FAILS("openat2:13", "d", PATH_CANONICALIZATION, IO_ERROR, EACCES,
                "Failed to canonicalize path d: Permission denied (os error 13)");
    GRANT_FAILS("openat2:24", "d", PATH_CANONICALIZATION, IO_ERROR, EMFILE,
                "Failed to canonicalize path d: Too many open files (os error 24)");
    GRANT_FAILS("fstat:5", "d", PATH_CANONICALIZATION, IO_ERROR, EIO,
                "Failed to canonicalize path d: Input/output error (os error 5)");
    GRANT_FAILS("fstat:5", "l", PATH_CANONICALIZATION, IO_ERROR, EIO,
                "Failed to canonicalize path l: Input/output error (os error 5)");
    GRANT_FAILS("getcwd:13", "d", PATH_CANONICALIZATION, IO_ERROR, EACCES,
                "Failed to canonicalize path d: Permission denied (os error 13)");
    GRANT_FAILS("getcwd:2", "d", PATH_NOT_FOUND, CONFIGURATION_ERROR, ENOENT, "Path does not exist: d");
    GRANT_FAILS("readlink:5", "l", PATH_CANONICALIZATION, IO_ERROR, EIO,
                "Failed to canonicalize path l: Input/output error (os error 5)");
    GRANT_FAILS("openat2:40,stat:13", "l/", PATH_CANONICALIZATION, IO_ERROR, EACCES,
                "Failed to canonicalize path l/: Permission denied (os error 13)");
    GRANT_FAILS("openat2:38,open:24", "d", PATH_CANONICALIZATION, IO_ERROR, EMFILE,
                "Failed to canonicalize path d: Too many open files (os error 24)");
    GRANT_FAILS("openat2:38,openat:13:1,openat:13", "d", PATH_CANONICALIZATION, IO_ERROR, EACCES,
                "Failed to canonicalize path d: Permission denied (os error 13)");
    GRANT_FAILS("openat2:1,fstat:5", "d", PATH_CANONICALIZATION, IO_ERROR, EIO,
                "Failed to canonicalize path d: Input/output error (os error 5)");
    /* Behind the last link nothing is read any more. */
    begin("readlink:5:2");
    CHECK_OK(nono_capability_set_allow_path(caps, "l", READ));
    end();
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), absolute("d"));
    nono_capability_set_free(caps);
}

/* What passes by itself is tried again. */
static void transient_faults(void) {
    make_directory("d");
    make_link("d", "l");
    static const char *const faults[] = {"openat2:4:1", "openat2:11:1", "openat2:4:1,openat2:11:2,openat2:4:3",
                                         "openat2:2:1", "openat2:2:2",  "fstat:5:1"};
    static const char *const paths[] = {"d", "./d/.", "l", "l/"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++) {
            begin(faults[i]);
            struct NonoCapabilitySet *caps = nono_capability_set_new();
            enum NonoErrorCode code = nono_capability_set_allow_path(caps, paths[k], READ);
            end();
            /* The walk makes up for it. */
            CHECK_INT(code, NONO_ERROR_CODE_OK);
            if (code == NONO_ERROR_CODE_OK) {
                CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), absolute("d"));
            }
            nono_capability_set_free(caps);
        }
    }
}

/* A query never fails for a reason of the system: what cannot be looked at is taken as it is written. */
static void query_faults(void) {
    make_directory("d");
    struct NonoCapabilitySet *caps = caps_with_path("d", READ);
    struct NonoQueryContext *ctx = nono_query_context_new(caps);
    const char *path = text("%s/x", absolute("d"));
    static const char *const faults[] = {"openat2:13", "openat2:38,open:24", "readlink:5", "getcwd:13"};
    int open_before = open_descriptors();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        NonoQueryResult result;
        begin(faults[i]);
        NO_ERROR(CHECK_OK(nono_query_context_query_path(ctx, path, READ, &result)));
        end();
        CHECK_INT(result.reason, NONO_QUERY_REASON_GRANTED_PATH);
        nono_string_free(result.granted_path);
        nono_string_free(result.access);
    }
    begin("getcwd:2");
    NO_ERROR(CHECK(!nono_capability_set_path_covered(caps, "d/x")));
    end();
    CHECK_INT(open_descriptors(), open_before);
    nono_query_context_free(ctx);
    nono_capability_set_free(caps);
}

static const struct test tests[] = {
    {"shim", require_shim},   {"apply", apply_faults},         {"descriptors", descriptors},
    {"grants", grant_faults}, {"transient", transient_faults}, {"queries", query_faults},
};

CHECK_MAIN("faults", tests)
