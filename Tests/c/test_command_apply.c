/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that runs commands and restricts itself too. What watches a command shares the program's memory, so that a
 * restricted program that writes there could have it do anything: none may be left unrestricted. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "support.h"
#include "takeover.h"

static const char busy[] =
    "Sandbox initialization failed: Failed to restrict self: commands run in sandboxes of their own, and what watches "
    "them shares the memory of this process: wait for them, or end them, before";

static void idle_watchers(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    secret = strdup(absolute("secret"));
    for (int i = 0; i < 3; i++) {
        run_true(sandbox);
    }
    struct ranges ranges = find_ranges();
    CHECK(ranges.count > 0 && ranges.code.end != 0);
    apply(narrow_caps());
    redirect(&ranges);
    /* Wakes what waits for the next command. */
    nono_prepared_sandbox_free(sandbox);
    CHECK_TEXT(stolen, "");
    CHECK(try_read("secret") == EACCES && try_read("d/f") == 0);
    free((char *)secret);
}

static void test_idle_watchers_end(void) {
    make_secret();
    in_child(idle_watchers);
}

/* From then on commands are contained by both. */
static void commands_afterwards(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    for (int i = 0; i < 3; i++) {
        run_true(sandbox);
    }
    apply(narrow_caps());
    for (int i = 0; i < 4; i++) {
        struct NonoSpawnOptions options = piped();
        struct finished result = finish(start(sandbox, ARGV("/bin/sh", "-c", "cat d/f; cat secret"), &options), NULL);
        CHECK_TEXT(result.output, "granted");
        CHECK(strstr(result.error, "secret: Permission denied") != NULL);
        free_finished(&result);
    }
    nono_prepared_sandbox_free(sandbox);
}

static void test_commands_afterwards(void) {
    make_secret();
    in_child(commands_afterwards);
}

static void with_running(struct NonoProcess *process) {
    struct NonoCapabilitySet *caps = narrow_caps();
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    NonoSandboxStatus layers = {.struct_size = sizeof layers};
    for (int i = 0; i < 2; i++) {
        FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT, OTHER, .os_error = EBUSY, .message = busy);
    }
    CHECK_OK(nono_sandbox_status(&layers));
    CHECK(layers.layers == 0 && !layers.is_incomplete);
    CHECK_INT(try_read("secret"), 0);
    /* It goes on. */
    CHECK_OK(nono_process_wait(process, 0, &status));
    CHECK(!status.has_ended);
    CHECK_OK(nono_process_kill(process));
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK(status.has_ended);
    nono_process_free(process);
    apply(caps);
    CHECK(try_read("secret") == EACCES && try_read("d/f") == 0);
}

static void running_command(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    with_running(start(sandbox, ARGV("/bin/sleep", "1000"), &options));
    nono_prepared_sandbox_free(sandbox);
}

static void running_command_in_a_slot(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    run_true(sandbox);
    run_true(sandbox);
    with_running(start(sandbox, ARGV("/bin/sleep", "1000"), &options));
    nono_prepared_sandbox_free(sandbox);
}

static void test_running_commands_are_refused(void) {
    make_secret();
    in_child(running_command);
    in_child(running_command_in_a_slot);
}

/* A forked child has its own memory, and commands of its parent mean nothing to it. */
static void test_forked_children(void) {
    make_secret();
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sleep", "1000"), &options);
    int child = fork();
    if (child == 0) {
        enum NonoErrorCode code = nono_sandbox_apply(narrow_caps());
        _exit(code == NONO_ERROR_CODE_OK && try_read("secret") == EACCES ? 0 : 1);
    }
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    nono_process_free(process);
    nono_prepared_sandbox_free(sandbox);
}

static atomic_bool is_over;

static void *keep_running(void *sandbox) {
    while (!is_over) {
        run_true(sandbox);
    }
    return NULL;
}

/* The state of a child, as /proc tells it; -1 for what is no keeper of this process. */
static int seccomp_of_keeper(const char *process) {
    char name[64] = "", line[256];
    int parent = 0, mode = -1;
    FILE *file = fopen(text("/proc/%s/status", process), "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        (void)(sscanf(line, "Name: %63s", name) == 1 || sscanf(line, "PPid: %d", &parent) == 1 ||
               sscanf(line, "Seccomp: %d", &mode) == 1);
    }
    if (file != NULL) {
        fclose(file);
    }
    return strcmp(name, "nono-keeper") == 0 && parent == getpid() ? mode : -1;
}

/* With threads that start commands all the time, it is refused or leaves nobody out. */
static void beside_threads(void) {
    pthread_t threads[3];
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoCapabilitySet *caps = narrow_caps();
    for (int i = 0; i < 3; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, keep_running, sandbox), 0);
    }
    int refused = 0;
    for (int i = 0; i < 40; i++) {
        refused += nono_sandbox_apply(caps) != NONO_ERROR_CODE_OK;
        CHECK(i > 0 || refused == 0 || try_read("secret") == 0);
    }
    is_over = true;
    for (int i = 0; i < 3; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    CHECK(refused > 0);
    apply(caps);
    for (int i = 0; i < 2; i++) {
        run_true(sandbox);
    }
    DIR *processes = opendir("/proc");
    int unrestricted = 0;
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        unrestricted += seccomp_of_keeper(entry->d_name) == 0;
    }
    CHECK_INT(unrestricted, 0);
    closedir(processes);
    nono_prepared_sandbox_free(sandbox);
}

static void test_beside_threads(void) {
    make_secret();
    in_child(beside_threads);
}

/* A program that waits for children of any kind gets to see the keeper's end. */
static void reaped_by_the_program(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sh", "-c", "sleep 0.5; exit 7"), &options);
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK(waitpid(-1, NULL, __WALL) > 0);
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK(status.has_ended && status.exit_code == 7 && status.cause == NONO_PROCESS_EXITED);
    nono_process_free(process);
    nono_prepared_sandbox_free(sandbox);
    apply(narrow_caps());
    CHECK_INT(try_read("secret"), EACCES);
}

static void test_reaped_by_the_program(void) {
    make_secret();
    in_child(reaped_by_the_program);
}

static const struct test tests[] = {
    {"idle watchers end", test_idle_watchers_end},
    {"commands afterwards", test_commands_afterwards},
    {"running commands are refused", test_running_commands_are_refused},
    {"forked children", test_forked_children},
    {"beside threads", test_beside_threads},
    {"reaped by the program", test_reaped_by_the_program},
};

COMMANDS_MAIN("command_apply", 1, tests)
