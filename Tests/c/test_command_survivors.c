/* SPDX-License-Identifier: Apache-2.0
 *
 * Nothing survives a command: not what it leaves in the background, not what hides, not when the caller dies. And
 * nothing else is touched. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "support.h"

/* Processes of a test are told by an argument of sleep that nobody else uses. */
#define MARK "31415926.5"
/* In sessions of their own, twice over, with everything closed and SIGTERM ignored. */
#define DAEMONS                                                                                                        \
    "trap '' TERM HUP INT; for i in 1 2 3; do (setsid sh -c 'setsid sleep " MARK " >/dev/null 2>&1 <&1 & "             \
    "sleep " MARK "' >/dev/null 2>&1 <&1 &) ; done; sleep 0.2; "

static void test_daemons_end_with_the_command(void) {
    struct finished result = run_shell(DAEMONS "echo done", NULL);
    CHECK_TEXT(result.output, "done\n");
    CHECK_INT(count_processes(MARK), 0);
    CHECK(!result.status.leaves_survivors);
    free_finished(&result);

    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_TIMEOUT;
    options.timeout_ns = 2000000000;
    result = run_shell(DAEMONS "echo waits; sleep " MARK, &options);
    CHECK_TEXT(result.output, "waits\n");
    CHECK_INT(result.status.cause, NONO_PROCESS_TIMEOUT);
    CHECK_INT(count_processes(MARK), 0);
    free_finished(&result);
}

static void test_a_background_process_does_not_hold_the_output_open(void) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    struct finished result = run_shell("sleep " MARK " & echo done", NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK_TEXT(result.output, "done\n");
    CHECK(after.tv_sec - before.tv_sec < 20);
    CHECK_INT(count_processes(MARK), 0);
    free_finished(&result);
}

static void test_freeing_ends_it(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sh", "-c", DAEMONS "sleep " MARK), &options);
    /* The process keeps what it needs of the sandbox. */
    nono_prepared_sandbox_free(sandbox);
    while (count_processes(MARK) < 7) {
        usleep(10000);
    }
    nono_process_free(process);
    CHECK_INT(count_processes(MARK), 0);
}

/* Forks as fast as it can, in new sessions, and never waits. */
static void test_a_fork_bomb(void) {
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_TIMEOUT;
    options.timeout_ns = 300000000;
    struct finished result = run_shell("bomb() { setsid sh -c 'sleep " MARK
                                       "' & [ $1 -gt 0 ] && { bomb $(($1 - 1)) & bomb $(($1 - 1)) & }; }; bomb 6; wait",
                                       &options);
    CHECK_INT(count_processes(MARK), 0);
    CHECK(!result.status.leaves_survivors);
    free_finished(&result);
}

static void test_other_children_are_left_alone(void) {
    int pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    int ended = fork();
    if (ended == 0) {
        _exit(7);
    }
    /* Without a scope for signals that would reach everybody. */
    bool is_scoped = landlock_abi() >= SCOPED_SIGNALS;
    struct finished result = run_shell(is_scoped ? DAEMONS "kill -9 -1; kill -9 $PPID; echo done" : DAEMONS, NULL);
    free_finished(&result);
    int status = 0;
    CHECK_INT(kill(pid, 0), 0);
    CHECK_INT(waitpid(pid, &status, WNOHANG), 0);
    /* The one that has ended is still there to be waited for, and nobody else is. */
    CHECK_INT(waitpid(-1, &status, 0), ended);
    CHECK_INT(WEXITSTATUS(status), 7);
    CHECK_INT(kill(pid, SIGKILL), 0);
    CHECK_INT(waitpid(-1, &status, 0), pid);
    CHECK_INT(waitpid(-1, &status, 0), -1);
    CHECK_INT(errno, ECHILD);
    CHECK_INT(waitpid(-1, &status, __WALL | WNOHANG), -1);
}

static void test_a_program_that_ignores_its_children(void) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, former;
    sigaction(SIGCHLD, &ignore, &former);
    struct finished result = run_shell("exit 5", NULL);
    CHECK_INT(result.status.exit_code, 5);
    free_finished(&result);
    sigaction(SIGCHLD, &former, NULL);
}

static void start_and_wait(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sh", "-c", DAEMONS "sleep " MARK), &options);
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    for (;;) {
        (void)nono_process_wait(process, -1, &status);
    }
}

static void test_the_caller_is_killed(void) {
    int pid = fork();
    if (pid == 0) {
        start_and_wait();
    }
    while (count_processes(MARK) < 7) {
        usleep(10000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(vanish(MARK));
}

static void test_the_caller_becomes_another_program(void) {
    int pid = fork();
    if (pid == 0) {
        struct NonoPreparedSandbox *sandbox = system_sandbox();
        struct NonoSpawnOptions options = piped();
        (void)start(sandbox, ARGV("/bin/sh", "-c", "exec sleep " MARK), &options);
        execl("/bin/sleep", "sleep", "100", (char *)NULL);
    }
    CHECK(vanish(MARK));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_a_copy_of_the_handle_in_a_forked_child(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    options.stdin_mode = NONO_STDIO_PIPE;
    struct NonoProcess *process = start(sandbox, ARGV("/bin/cat"), &options);
    nono_prepared_sandbox_free(sandbox);
    int pid = fork();
    if (pid == 0) {
        nono_process_free(process);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    const struct NonoCommunication talk = {
        .struct_size = sizeof talk, .input = "lives", .input_length = 5, .max_output = UINT64_MAX};
    struct finished result = finish(process, &talk);
    CHECK_TEXT(result.output, "lives");
    free_finished(&result);
}

/* A way out of the descriptors' end: what outlives the command keeps its output open, and it does not matter. */
static void test_descriptors_and_memory_do_not_grow(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct finished result;
    int before = 0;
    for (int i = 0; i < 200; i++) {
        /* By the third it keeps what it is going to keep. */
        before = i == 2 ? open_descriptors() : before;
        result = finish(start(sandbox, ARGV("/bin/echo", "x"), &options), NULL);
        CHECK_TEXT(result.output, "x\n");
        free_finished(&result);
    }
    CHECK_INT(open_descriptors(), before);
    nono_prepared_sandbox_free(sandbox);
}

struct work {
    const struct NonoPreparedSandbox *sandbox;
    int number;
    int wrong;
};

static void *run_many(void *argument) {
    struct work *work = argument;
    struct NonoSpawnOptions options = piped();
    for (int i = 0; i < 40; i++) {
        char text[32], expected[34];
        snprintf(text, sizeof text, "%d-%d", work->number, i);
        snprintf(expected, sizeof expected, "%s\n", text);
        struct NonoProcess *process = NULL;
        struct NonoOutput output = {.struct_size = sizeof output};
        bool works = nono_sandbox_spawn(work->sandbox, ARGV("/bin/echo", text), &options, &process) == 0 &&
                     nono_process_communicate(process, NULL, &output) == 0 &&
                     output.stdout_length == strlen(expected) &&
                     memcmp(output.stdout_bytes, expected, output.stdout_length) == 0;
        work->wrong += !works;
        nono_string_free(output.stdout_bytes);
        nono_string_free(output.stderr_bytes);
        nono_process_free(process);
    }
    return NULL;
}

static void test_fifty_threads(void) {
    int before = open_descriptors();
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct work work[50];
    pthread_t threads[50];
    for (int i = 0; i < 50; i++) {
        work[i] = (struct work){.sandbox = sandbox, .number = i};
        CHECK_INT(pthread_create(&threads[i], NULL, run_many, &work[i]), 0);
    }
    for (int i = 0; i < 50; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(work[i].wrong, 0);
    }
    /* With what it kept ready. */
    nono_prepared_sandbox_free(sandbox);
    CHECK_INT(open_descriptors(), before);
    CHECK_INT(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

static void *start_one(void *argument) {
    struct NonoSpawnOptions options = piped();
    return start(argument, ARGV("/bin/sh", "-c", "sleep 0.3; echo done"), &options);
}

static void test_the_thread_that_started_it_ends(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    pthread_t thread;
    void *process = NULL;
    CHECK_INT(pthread_create(&thread, NULL, start_one, sandbox), 0);
    CHECK_INT(pthread_join(thread, &process), 0);
    struct finished result = finish(process, NULL);
    CHECK_TEXT(result.output, "done\n");
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

/* Commands of a caller that is in a sandbox itself: contained further, and ended all the same. */
static void run_contained(void) {
    make_directory("inner");
    make_file("inner/notes", "notes");
    make_file("outer", "outer");
    struct NonoCapabilitySet *caps = system_caps();
    apply(caps);
    struct NonoCapabilitySet *narrow = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path(narrow, "/usr", NONO_ACCESS_MODE_READ));
    CHECK_OK(nono_capability_set_allow_path(narrow, "/etc", NONO_ACCESS_MODE_READ));
    CHECK_OK(nono_capability_set_allow_path(narrow, "/var", NONO_ACCESS_MODE_READ));
    CHECK_OK(nono_capability_set_allow_path(narrow, "inner", NONO_ACCESS_MODE_READ));
    struct NonoPreparedSandbox *sandbox = NULL;
    CHECK_OK(nono_sandbox_prepare(narrow, NULL, &sandbox));
    struct NonoSpawnOptions options = piped();
    struct finished result =
        finish(start(sandbox,
                     ARGV("/bin/sh", "-c", "cat inner/notes; cat outer; ls /var; (setsid sleep " MARK " &); echo end"),
                     &options),
               NULL);
    CHECK_TEXT(result.output, "notesend\n");
    CHECK(strstr(result.error, "outer: Permission denied") != NULL);
    CHECK(strstr(result.error, "/var") != NULL);
    CHECK(!result.status.leaves_survivors);
    CHECK_INT(count_processes(MARK), 0);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
    nono_capability_set_free(narrow);
}

static void test_a_contained_caller(void) {
    in_child(run_contained);
}

static void test_where_signals_are_left_open(void) {
    struct NonoCapabilitySet *caps = system_caps();
    const struct NonoApplyOptions open = {.struct_size = sizeof open, .allow = NONO_ALLOW_SIGNALS};
    struct NonoPreparedSandbox *sandbox = NULL;
    CHECK_OK(nono_sandbox_prepare(caps, &open, &sandbox));
    nono_capability_set_free(caps);
    struct NonoSpawnOptions options = piped();
    struct finished result =
        finish(start(sandbox, ARGV("/bin/sh", "-c", DAEMONS "kill -0 $PPID && echo signals"), &options), NULL);
    CHECK_TEXT(result.output, "signals\n");
    CHECK(!result.status.leaves_survivors);
    CHECK_INT(count_processes(MARK), 0);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

/* The keeper's memory is that of the caller. The command may trace what it started, and not the keeper. */
static void test_the_keeper_cannot_be_reached(void) {
    struct finished result =
        run_shell("head -c 1 /proc/$PPID/mem; echo mem $?; cat /proc/$PPID/environ; echo env $?;"
                  " readlink /proc/$PPID/fd/0; echo fd $?; sleep 5 & cat /proc/$!/environ >/dev/null; echo own $?",
                  NULL);
    CHECK_TEXT(result.output, "mem 1\nenv 1\nfd 1\nown 0\n");
    free_finished(&result);
    if (has_landlock(SCOPED_SIGNALS)) {
        result = run_shell("kill -9 $PPID; echo kill $?", NULL);
        CHECK_TEXT(result.output, "kill 1\n");
        free_finished(&result);
    }
}

static void test_the_keeper_is_killed(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sh", "-c", "echo $PPID; exec sleep " MARK), &options);
    nono_prepared_sandbox_free(sandbox);
    char text[32] = "";
    int out = nono_process_take_descriptor(process, 1);
    CHECK(read(out, text, sizeof text - 1) > 0);
    CHECK_INT(kill(atoi(text), SIGKILL), 0);
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK(status.has_ended);
    CHECK_INT(status.cause, NONO_PROCESS_LOST);
    CHECK_INT(status.exit_code, -SIGKILL);
    CHECK(status.leaves_survivors);
    close(out);
    nono_process_free(process);
    CHECK(vanish(MARK));
}

static const struct test tests[] = {
    {"daemons end with the command", test_daemons_end_with_the_command},
    {"a background process does not hold the output open", test_a_background_process_does_not_hold_the_output_open},
    {"freeing ends it", test_freeing_ends_it},
    {"a fork bomb", test_a_fork_bomb},
    {"other children are left alone", test_other_children_are_left_alone},
    {"a program that ignores its children", test_a_program_that_ignores_its_children},
    {"the caller is killed", test_the_caller_is_killed},
    {"the caller becomes another program", test_the_caller_becomes_another_program},
    {"a copy of the handle in a forked child", test_a_copy_of_the_handle_in_a_forked_child},
    {"descriptors and memory do not grow", test_descriptors_and_memory_do_not_grow},
    {"fifty threads", test_fifty_threads},
    {"the thread that started it ends", test_the_thread_that_started_it_ends},
    {"a contained caller", test_a_contained_caller},
    {"where signals are left open", test_where_signals_are_left_open},
    {"the keeper cannot be reached", test_the_keeper_cannot_be_reached},
    {"the keeper is killed", test_the_keeper_is_killed},
};

COMMANDS_MAIN("command_survivors", 1, tests)
