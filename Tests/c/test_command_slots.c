/* SPDX-License-Identifier: Apache-2.0
 *
 * One command after the other in a sandbox that stands ready: from the second one on they are started by a process that
 * is in the sandbox already. What they can do to it must not reach the caller, nor the next command. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "support.h"

#define MARK "27182818.5"
#define DAEMON "(setsid sleep " MARK " >/dev/null 2>&1 &); sleep 0.1; "

static struct finished shell(const struct NonoPreparedSandbox *sandbox, const char *command,
                             const struct NonoSpawnOptions *options) {
    struct NonoSpawnOptions standard = piped();
    return finish(start(sandbox, ARGV("/bin/sh", "-c", command), options == NULL ? &standard : options), NULL);
}

/* A sandbox whose next command runs in a slot. */
static struct NonoPreparedSandbox *warm_sandbox(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct finished result = shell(sandbox, "true", NULL);
    free_finished(&result);
    return sandbox;
}

/* The parent of a command: in a slot, the same for all. */
static int parent_of_command(const struct NonoPreparedSandbox *sandbox) {
    struct finished result = shell(sandbox, "echo $PPID", NULL);
    int parent = atoi(result.output);
    free_finished(&result);
    return parent;
}

static void test_the_same_process_starts_them(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    int first = parent_of_command(sandbox);
    int second = parent_of_command(sandbox);
    CHECK(first != second);
    CHECK_INT(parent_of_command(sandbox), second);
    CHECK_INT(parent_of_command(sandbox), second);
    CHECK_INT(kill(second, 0), 0);
    nono_prepared_sandbox_free(sandbox);
    CHECK_INT(kill(second, 0), -1);
    CHECK_INT(waitpid(-1, NULL, __WALL | WNOHANG), -1);
    CHECK_INT(errno, ECHILD);
}

static void test_each_has_its_own_surroundings(void) {
    make_directory("one");
    make_directory("two");
    make_directory("secret");
    make_file("secret/notes", "secret");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path(caps, "/usr", NONO_ACCESS_MODE_READ));
    CHECK_OK(nono_capability_set_allow_path(caps, "one", NONO_ACCESS_MODE_READ_WRITE));
    struct NonoPreparedSandbox *sandbox = NULL;
    CHECK_OK(nono_sandbox_prepare(caps, NULL, &sandbox));
    nono_capability_set_free(caps);
    struct NonoSpawnOptions options = piped();
    char here[4096];
    CHECK(getcwd(here, sizeof here) != NULL);
    for (int i = 0; i < 4; i++) {
        struct finished result =
            shell(sandbox, "cat secret/notes; echo $? \"$X\"; umask; ulimit -n; echo x >one/made", NULL);
        CHECK(strncmp(result.output, "1 \n0022\n", 8) == 0);
        CHECK(strstr(result.error, "secret/notes: Permission denied") != NULL);
        CHECK_INT(unlink("one/made"), 0);
        free_finished(&result);

        options.environment = ARGV("X=y");
        options.directory = "two";
        options.set = NONO_SPAWN_UMASK | NONO_SPAWN_MAX_OPEN_FILES;
        options.umask = 077;
        options.max_open_files = 17;
        result = shell(sandbox, "pwd; echo $X; umask; ulimit -n", &options);
        char expected[4200];
        snprintf(expected, sizeof expected, "%s\ny\n0077\n17\n", absolute("two"));
        CHECK_TEXT(result.output, expected);
        free_finished(&result);

        /* The directory of the caller, as it is now. */
        CHECK_INT(chdir("one"), 0);
        result = shell(sandbox, "pwd -P", NULL);
        CHECK_INT(chdir(here), 0);
        snprintf(expected, sizeof expected, "%s\n", absolute("one"));
        CHECK_TEXT(result.output, expected);
        free_finished(&result);
    }
    nono_prepared_sandbox_free(sandbox);
}

static void test_nothing_survives(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    int parent = parent_of_command(sandbox);
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_TIMEOUT;
    options.timeout_ns = 400000000;
    for (int i = 0; i < 3; i++) {
        struct finished result = shell(sandbox, DAEMON "echo done", NULL);
        CHECK_TEXT(result.output, "done\n");
        CHECK(!result.status.leaves_survivors);
        CHECK_INT(count_processes(MARK), 0);
        free_finished(&result);
        result = shell(sandbox, DAEMON "sleep " MARK, &options);
        CHECK_INT(result.status.cause, NONO_PROCESS_TIMEOUT);
        CHECK_INT(result.status.exit_code, -SIGKILL);
        CHECK_INT(count_processes(MARK), 0);
        free_finished(&result);
        struct NonoSpawnOptions plain = piped();
        nono_process_free(start(sandbox, ARGV("/bin/sh", "-c", DAEMON "sleep " MARK), &plain));
        CHECK_INT(count_processes(MARK), 0);
    }
    CHECK_INT(parent_of_command(sandbox), parent);
    nono_prepared_sandbox_free(sandbox);
}

static void test_signals_and_failures(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sleep", "30"), &options);
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_process_wait(process, 0, &status));
    CHECK(!status.has_ended);
    CHECK_OK(nono_process_signal(process, SIGTERM));
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK_INT(status.exit_code, -SIGTERM);
    CHECK_INT(status.cause, NONO_PROCESS_EXITED);
    nono_process_free(process);

    make_file("file", "no program");
    FAILS(nono_sandbox_spawn(sandbox, ARGV("./file"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "exec failed: Permission denied (os error 13)", .os_error = EACCES);
    CHECK_INT(nono_last_spawn_stage(), NONO_SPAWN_STAGE_EXEC);
    options.directory = "file";
    FAILS(nono_sandbox_spawn(sandbox, ARGV("/bin/true"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "failed to chdir: Not a directory (os error 20)", .os_error = ENOTDIR);
    options.directory = NULL;
    options.set = NONO_SPAWN_MAX_OPEN_FILES;
    options.max_open_files = UINT64_C(1) << 40;
    FAILS(nono_sandbox_spawn(sandbox, ARGV("/bin/true"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "failed to set resource limit (max_open_files: Operation not permitted (os error 1))",
          .os_error = EPERM);
    struct finished result = shell(sandbox, "echo fine", NULL);
    CHECK_TEXT(result.output, "fine\n");
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

/* What a command does to the process that started it, and what the run then comes to. */
static void attack(const char *command) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    int parent = parent_of_command(sandbox);
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_TIMEOUT;
    options.timeout_ns = UINT64_C(20000000000);
    struct finished result = shell(sandbox, command, &options);
    CHECK(result.status.has_ended);
    CHECK_INT(result.status.cause, NONO_PROCESS_LOST);
    CHECK_INT(result.status.exit_code, -SIGKILL);
    CHECK(!result.status.leaves_survivors);
    CHECK_INT(count_processes(MARK), 0);
    CHECK_INT(kill(parent, 0), -1);
    free_finished(&result);
    /* The next one has another. */
    result = shell(sandbox, "echo fine", NULL);
    CHECK_TEXT(result.output, "fine\n");
    CHECK_INT(result.status.cause, NONO_PROCESS_EXITED);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
    CHECK_INT(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

static void test_a_command_that_kills_its_starter(void) {
    attack(DAEMON "kill -9 $PPID; sleep 30");
    attack(DAEMON "kill -9 -1; sleep 30");
}

static void test_a_command_that_stops_its_starter(void) {
    attack(DAEMON "kill -STOP $PPID");
    attack(DAEMON "kill -STOP $PPID; sleep 30");
    attack(DAEMON "while :; do kill -STOP $PPID; kill -CONT $PPID; done");
}

static void test_the_starter_has_nothing_of_the_caller(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    struct finished result = shell(
        sandbox,
        "head -c 1 /proc/$PPID/mem; echo mem $?; cat /proc/$PPID/environ; echo env $?; cat /proc/$PPID/maps; "
        "echo maps $?; readlink /proc/$PPID/fd/3; echo fd $?; grep -E '^(NoNewPrivs|Seccomp):' /proc/$PPID/status",
        NULL);
    CHECK_TEXT(result.output, "mem 1\nenv 1\nmaps 1\nfd 1\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    free_finished(&result);

    /* Seen from outside: none of the caller's memory is left in it. */
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", parent_of_command(sandbox));
    FILE *file = fopen(path, "r");
    long size = -1;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "VmSize: %ld kB", &size);
    }
    if (CHECK(file != NULL)) {
        fclose(file);
    }
    CHECK(size > 0 && size < 4096);
    nono_prepared_sandbox_free(sandbox);
}

static void use_in_children(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    int parent = parent_of_command(sandbox);
    int pid = fork();
    if (pid == 0) {
        int other = parent_of_command(sandbox);
        nono_prepared_sandbox_free(sandbox);
        _exit(other == parent || other == 0);
    }
    int status = -1;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    CHECK_INT(parent_of_command(sandbox), parent);
    nono_prepared_sandbox_free(sandbox);
}

static void test_forked_children_of_the_caller(void) {
    in_child(use_in_children);
}

static void test_the_caller_is_killed(void) {
    int pid = fork();
    if (pid == 0) {
        struct NonoPreparedSandbox *sandbox = warm_sandbox();
        struct finished result = shell(sandbox, DAEMON "exec sleep " MARK, NULL);
        free_finished(&result);
        _exit(0);
    }
    while (count_processes(MARK) < 2) {
        usleep(10000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK(vanish(MARK));
    CHECK(vanish("nono-keeper"));
}

static void test_another_user(void) {
    if (geteuid() != 0) {
        check_skip("only root can run a command as another user");
        return;
    }
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_USER;
    options.user = 54321;
    for (int i = 0; i < 3; i++) {
        struct finished result = shell(sandbox, "id -u; kill -9 $PPID 2>/dev/null || echo refused", &options);
        CHECK_TEXT(result.output, "54321\nrefused\n");
        free_finished(&result);
        result = shell(sandbox, "id -u", NULL);
        CHECK_TEXT(result.output, "0\n");
        free_finished(&result);
    }
    nono_prepared_sandbox_free(sandbox);
}

static void test_a_command_that_does_not_fit(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    int parent = parent_of_command(sandbox);
    size_t length = 120000;
    char *text = malloc(length + 1);
    memset(text, 'x', length);
    text[length] = '\0';
    struct NonoSpawnOptions options = piped();
    struct finished result =
        finish(start(sandbox, ARGV("/bin/sh", "-c", "echo ${#1} ${#2}", "sh", text, text), &options), NULL);
    CHECK_TEXT(result.output, "120000 120000\n");
    free_finished(&result);
    free(text);
    CHECK_INT(parent_of_command(sandbox), parent);
    nono_prepared_sandbox_free(sandbox);
}

struct work {
    const struct NonoPreparedSandbox *sandbox;
    int wrong;
};

static void *run_some(void *argument) {
    struct work *work = argument;
    struct NonoSpawnOptions options = piped();
    for (int i = 0; i < 30; i++) {
        struct NonoProcess *process = NULL;
        struct NonoOutput output = {.struct_size = sizeof output};
        bool works = nono_sandbox_spawn(work->sandbox, ARGV("/bin/echo", "right"), &options, &process) == 0 &&
                     nono_process_communicate(process, NULL, &output) == 0 && output.stdout_length == 6;
        work->wrong += !works;
        nono_string_free(output.stdout_bytes);
        nono_string_free(output.stderr_bytes);
        nono_process_free(process);
    }
    return NULL;
}

static void test_more_threads_than_slots(void) {
    struct NonoPreparedSandbox *sandbox = NULL;
    int before = open_descriptors();
    sandbox = system_sandbox();
    struct work work[20];
    pthread_t threads[20];
    for (int i = 0; i < 20; i++) {
        work[i] = (struct work){.sandbox = sandbox};
        CHECK_INT(pthread_create(&threads[i], NULL, run_some, &work[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(work[i].wrong, 0);
    }
    /* Two rulesets, and three for each slot of which there are eight at most. */
    CHECK(open_descriptors() - before <= 2 + 3 * 8);
    nono_prepared_sandbox_free(sandbox);
    CHECK_INT(open_descriptors(), before);
    CHECK_INT(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

static void run_without_descriptors(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    struct rlimit limit;
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct NonoSpawnOptions options = piped();
    int runs = 0;
    /* Too few for a slot, and then enough for a command. */
    for (int more = 0; more < 16; more++) {
        const struct rlimit few = {(rlim_t)(open_descriptors() + more), limit.rlim_max};
        struct NonoProcess *process = NULL;
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
        bool started = nono_sandbox_spawn(sandbox, ARGV("/bin/true"), &options, &process) == NONO_ERROR_CODE_OK;
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
        if (started) {
            runs++;
            struct finished result = finish(process, NULL);
            CHECK_INT(result.status.exit_code, 0);
            free_finished(&result);
        }
    }
    CHECK(runs > 0 && runs < 16);
    nono_prepared_sandbox_free(sandbox);
}

static void test_descriptors_that_run_out(void) {
    in_child(run_without_descriptors);
}

static void run_contained(void) {
    struct NonoCapabilitySet *caps = system_caps();
    apply(caps);
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    int parent = parent_of_command(sandbox);
    CHECK_INT(parent_of_command(sandbox), parent);
    struct finished result = shell(sandbox, DAEMON "echo done; ls /root", NULL);
    CHECK_TEXT(result.output, "done\n");
    CHECK_INT(count_processes(MARK), 0);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

static void test_a_contained_caller(void) {
    in_child(run_contained);
}

static int parent_of(int process) {
    char path[64], line[256] = "";
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
    CHECK_INT(sscanf(strrchr(line, ')') + 1, " %*c %d", &parent), 1);
    fclose(file);
    return parent;
}

/* Somebody outside any sandbox can: then nobody has ended what was left. */
static void test_the_guard_is_killed(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    int template = parent_of_command(sandbox);
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sh", "-c", "sleep " MARK " & wait"), &options);
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK_INT(kill(parent_of(template), SIGKILL), 0);
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK(status.has_ended && status.cause == NONO_PROCESS_LOST && status.leaves_survivors);
    nono_process_free(process);
    struct finished result = shell(sandbox, "echo on", NULL);
    CHECK_TEXT(result.output, "on\n");
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
    /* It has a session of its own. */
    (void)kill(-status.pid, SIGKILL);
    CHECK(vanish(MARK));
}

/* The end can be polled for, though another call has come upon it before. */
static void test_the_end_stays_readable(void) {
    struct NonoPreparedSandbox *sandbox = warm_sandbox();
    struct NonoSpawnOptions options = piped();
    for (int i = 0; i < 3; i++) {
        struct NonoProcess *process = start(sandbox, ARGV("/bin/true"), &options);
        struct pollfd entry = {.fd = nono_process_descriptor(process), .events = POLLIN};
        struct NonoProcessStatus status = {.struct_size = sizeof status};
        CHECK_INT(poll(&entry, 1, 20000), 1);
        for (int look = 0; look < 3; look++) {
            CHECK_OK(nono_process_wait(process, 0, &status));
            CHECK(status.has_ended);
            CHECK(nono_process_failure(process) == NULL);
            CHECK_INT(poll(&entry, 1, 0), 1);
        }
        nono_process_free(process);
    }
    nono_prepared_sandbox_free(sandbox);
}

static const struct test tests[] = {
    {"the same process starts them", test_the_same_process_starts_them},
    {"each has its own surroundings", test_each_has_its_own_surroundings},
    {"nothing survives", test_nothing_survives},
    {"signals and failures", test_signals_and_failures},
    {"a command that kills its starter", test_a_command_that_kills_its_starter},
    {"a command that stops its starter", test_a_command_that_stops_its_starter},
    {"the starter has nothing of the caller", test_the_starter_has_nothing_of_the_caller},
    {"forked children of the caller", test_forked_children_of_the_caller},
    {"the caller is killed", test_the_caller_is_killed},
    {"another user", test_another_user},
    {"a command that does not fit", test_a_command_that_does_not_fit},
    {"more threads than slots", test_more_threads_than_slots},
    {"descriptors that run out", test_descriptors_that_run_out},
    {"a contained caller", test_a_contained_caller},
    {"the guard is killed", test_the_guard_is_killed},
    {"the end stays readable", test_the_end_stays_readable},
};

/* Without a scope for signals there are no slots, and kill(-1) would reach everybody. */
COMMANDS_MAIN("command_slots", SCOPED_SIGNALS, tests)
