/* SPDX-License-Identifier: Apache-2.0
 *
 * Running commands: what they may do, what they get, what comes back. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "support.h"

static void test_output_and_status(void) {
    struct finished result = run_shell("echo out; echo err >&2; exit 3", NULL);
    CHECK_TEXT(result.output, "out\n");
    CHECK_TEXT(result.error, "err\n");
    CHECK_INT(result.status.exit_code, 3);
    CHECK_INT(result.status.cause, NONO_PROCESS_EXITED);
    CHECK_INT(result.status.failed_stage, NONO_SPAWN_STAGE_NONE);
    CHECK(result.status.pid > 0);
    CHECK(!result.status.leaves_survivors);
    CHECK_INT(result.status.memory_limited_by, NONO_LIMITED_BY_NOTHING);
    free_finished(&result);

    result = run_shell("kill -TERM $$", NULL);
    CHECK_INT(result.status.exit_code, -SIGTERM);
    free_finished(&result);
}

static void test_only_what_is_granted(void) {
    make_directory("mine");
    make_directory("other");
    make_file("mine/notes", "notes");
    make_file("other/secret", "secret");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path(caps, "/usr", NONO_ACCESS_MODE_READ));
    CHECK_OK(nono_capability_set_allow_path(caps, "/etc", NONO_ACCESS_MODE_READ));
    CHECK_OK(nono_capability_set_allow_path(caps, "mine", NONO_ACCESS_MODE_READ_WRITE));
    struct NonoPreparedSandbox *sandbox = NULL;
    CHECK_OK(nono_sandbox_prepare(caps, NULL, &sandbox));
    nono_capability_set_free(caps);
    struct NonoSpawnOptions options = piped();
    struct finished result = finish(
        start(sandbox, ARGV("/bin/sh", "-c", "cat mine/notes; cat other/secret; echo new >mine/new; echo >other/new"),
              &options),
        NULL);
    CHECK_TEXT(result.output, "notes");
    CHECK(strstr(result.error, "other/secret: Permission denied") != NULL);
    CHECK_INT(access("mine/new", F_OK), 0);
    CHECK_INT(access("other/new", F_OK), -1);
    free_finished(&result);
    /* The caller is not restricted. */
    CHECK_INT(try_read("other/secret"), 0);
    nono_prepared_sandbox_free(sandbox);
}

static void test_environment_and_directory(void) {
    make_directory("work");
    struct NonoSpawnOptions options = piped();
    options.environment = ARGV("B=2", "A=1");
    options.directory = "work";
    options.set = NONO_SPAWN_UMASK;
    options.umask = 027;
    struct finished result = run_shell("echo \"$A$B$HOME\"; pwd; umask", &options);
    char expected[4200];
    snprintf(expected, sizeof expected, "12\n%s\n0027\n", absolute("work"));
    CHECK_TEXT(result.output, expected);
    free_finished(&result);
}

static void test_its_own_session_signals_and_descriptors(void) {
    int inherited = open("/dev/null", O_RDONLY); /* without CLOEXEC */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t blocked, before;
    struct sigaction former;
    sigaction(SIGPIPE, &ignore, &former);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    struct finished result = run_shell(
        "echo $(ls /proc/self/fd | wc -l); grep -E '^Sig(Blk|Ign)' /proc/self/status;"
        " set -- $(cat /proc/self/stat); [ \"$5\" = \"$6\" ] && [ \"$6\" = $$ ] && echo own session; echo tty $7",
        NULL);
    /* 0, 1, 2, and the one that ls reads. */
    CHECK_TEXT(result.output, "4\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nown session\ntty 0\n");
    free_finished(&result);
    sigprocmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGPIPE, &former, NULL);
    close(inherited);
}

static void test_standard_streams(void) {
    make_file("input", "from a file");
    struct NonoSpawnOptions options = piped();
    options.stdin_mode = NONO_STDIO_DESCRIPTOR;
    options.stdin_descriptor = open("input", O_RDONLY | O_CLOEXEC);
    options.stderr_mode = NONO_STDIO_STDOUT;
    struct finished result = run_shell("cat; echo both >&2", &options);
    CHECK_TEXT(result.output, "from a fileboth\n");
    CHECK_TEXT(result.error, "");
    free_finished(&result);
    close(options.stdin_descriptor);

    struct NonoSpawnOptions nothing = {.struct_size = sizeof nothing};
    result = run_shell("cat; echo lost; ls -l /proc/self/fd >seen", &nothing);
    CHECK_TEXT(result.output, "");
    CHECK_INT(result.status.exit_code, 0);
    free_finished(&result);

    struct NonoPreparedSandbox *sandbox = system_sandbox();
    options = piped();
    options.stdin_mode = NONO_STDIO_PIPE;
    const struct NonoCommunication talk = {
        .struct_size = sizeof talk, .input = "fed\0fed", .input_length = 7, .max_output = UINT64_MAX};
    result = finish(start(sandbox, ARGV("/bin/cat"), &options), &talk);
    CHECK_INT(result.output_length, 7);
    CHECK(memcmp(result.output, "fed\0fed", 7) == 0);
    free_finished(&result);

    /* Descriptors in each other's way. */
    options = (struct NonoSpawnOptions){.struct_size = sizeof options,
                                        .stdin_mode = NONO_STDIO_DESCRIPTOR,
                                        .stdin_descriptor = 2,
                                        .stdout_mode = NONO_STDIO_PIPE,
                                        .stderr_mode = NONO_STDIO_DESCRIPTOR,
                                        .stderr_descriptor = 0};
    result = finish(start(sandbox, ARGV("/bin/sh", "-c", "readlink /proc/self/fd/0 /proc/self/fd/2"), &options), NULL);
    char zero[4096] = "", two[4096] = "", expected[8200];
    (void)!readlink("/proc/self/fd/0", zero, sizeof zero - 1);
    (void)!readlink("/proc/self/fd/2", two, sizeof two - 1);
    snprintf(expected, sizeof expected, "%s\n%s\n", two, zero);
    CHECK_TEXT(result.output, expected);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

static void test_taken_pipes(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    options.stdin_mode = NONO_STDIO_PIPE;
    struct NonoProcess *process = start(sandbox, ARGV("/bin/cat"), &options);
    nono_prepared_sandbox_free(sandbox);
    int in = nono_process_take_descriptor(process, 0);
    int out = nono_process_take_descriptor(process, 1);
    CHECK(in >= 3 && out >= 3);
    CHECK_INT(nono_process_take_descriptor(process, 0), -1);
    CHECK_INT(nono_process_take_descriptor(process, 7), -1);
    char buffer[16] = "";
    CHECK_INT(write(in, "ping", 4), 4);
    CHECK_INT(read(out, buffer, sizeof buffer), 4);
    CHECK_TEXT(buffer, "ping");
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_process_wait(process, 0, &status));
    CHECK(!status.has_ended);
    CHECK_OK(nono_process_wait(process, 1000000, &status));
    CHECK(!status.has_ended);
    close(in);
    struct pollfd event = {.fd = nono_process_descriptor(process), .events = POLLIN};
    CHECK_INT(poll(&event, 1, 10000), 1);
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK(status.has_ended);
    CHECK_INT(status.exit_code, 0);
    FAILS(nono_process_signal(process, SIGTERM), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "Cannot signal the command: No such process (os error 3)", .os_error = ESRCH);
    CHECK_OK(nono_process_kill(process));
    close(out);
    nono_process_free(process);
}

static void test_signals(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(
        sandbox, ARGV("/bin/sh", "-c", "trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.05; done"),
        &options);
    int out = nono_process_take_descriptor(process, 1);
    char buffer[16] = "";
    CHECK_INT(read(out, buffer, sizeof buffer), 6);
    FAILS_ARGUMENT(nono_process_signal(process, 0), "invalid signal: 0");
    FAILS_ARGUMENT(nono_process_signal(process, 65), "invalid signal: 65");
    CHECK_OK(nono_process_signal(process, SIGUSR1));
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK_INT(status.exit_code, 9);
    CHECK_INT(read(out, buffer, sizeof buffer), 7);
    close(out);
    nono_process_free(process);

    process = start(sandbox, ARGV("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"), &options);
    out = nono_process_take_descriptor(process, 1);
    CHECK_INT(read(out, buffer, sizeof buffer), 6);
    CHECK_OK(nono_process_signal(process, SIGTERM));
    CHECK_OK(nono_process_kill(process));
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK_INT(status.exit_code, -SIGKILL);
    CHECK_INT(status.cause, NONO_PROCESS_KILLED);
    close(out);
    nono_process_free(process);
    nono_prepared_sandbox_free(sandbox);
}

static void test_timeout(void) {
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_TIMEOUT;
    options.timeout_ns = 200000000;
    struct finished result = run_shell("echo part; sleep 30", &options);
    CHECK_TEXT(result.output, "part\n");
    CHECK_INT(result.status.cause, NONO_PROCESS_TIMEOUT);
    CHECK_INT(result.status.exit_code, -SIGKILL);
    free_finished(&result);

    options.timeout_ns = UINT64_MAX;
    result = run_shell("echo whole", &options);
    CHECK_TEXT(result.output, "whole\n");
    CHECK_INT(result.status.cause, NONO_PROCESS_EXITED);
    free_finished(&result);
}

static void test_output_beyond_a_limit_is_counted(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    const struct NonoCommunication talk = {.struct_size = sizeof talk, .max_output = 1000};
    struct finished result =
        finish(start(sandbox, ARGV("/usr/bin/head", "-c", "50000000", "/dev/zero"), &options), &talk);
    CHECK_INT(result.output_length, 1000);
    CHECK_INT(result.output_cut, 50000000 - 1000);
    CHECK_INT(result.error_cut, 0);
    CHECK_INT(result.status.exit_code, 0);
    free_finished(&result);
    const struct NonoCommunication none = {.struct_size = sizeof none, .max_output = 0};
    result = finish(start(sandbox, ARGV("/bin/echo", "cut"), &options), &none);
    CHECK_INT(result.output_length, 0);
    CHECK_INT(result.output_cut, 4);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

struct heard {
    char text[64];
    int pieces;
    int refuse_after;
};

static int32_t listen_to(void *payload, uint32_t stream, const char *bytes, size_t length) {
    struct heard *heard = payload;
    if (stream == 1 && strlen(heard->text) + length < sizeof heard->text) {
        strncat(heard->text, bytes, length);
    }
    heard->pieces += stream == 1;
    return heard->refuse_after != 0 && heard->pieces >= heard->refuse_after;
}

static void test_output_as_it_comes(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct heard heard = {.refuse_after = 0};
    const struct NonoCommunication talk = {
        .struct_size = sizeof talk, .max_output = UINT64_MAX, .listener = listen_to, .payload = &heard};
    struct finished result =
        finish(start(sandbox, ARGV("/bin/sh", "-c", "echo one; sleep 0.2; echo two"), &options), &talk);
    CHECK_TEXT(heard.text, "one\ntwo\n");
    CHECK_INT(heard.pieces, 2);
    CHECK_TEXT(result.output, "one\ntwo\n");
    free_finished(&result);

    heard = (struct heard){.refuse_after = 1};
    result = finish(start(sandbox, ARGV("/bin/sh", "-c", "echo one; sleep 30; echo two"), &options), &talk);
    CHECK_TEXT(result.output, "one\n");
    CHECK_INT(result.status.cause, NONO_PROCESS_KILLED);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

static void test_limits(void) {
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_MAX_CPU_SECONDS | NONO_SPAWN_MAX_FILE_SIZE | NONO_SPAWN_MAX_OPEN_FILES;
    options.max_cpu_seconds = 7;
    options.max_file_size = 4096;
    options.max_open_files = 20;
    struct finished result = run_shell("ulimit -t; ulimit -f; ulimit -n; ulimit -Hn", &options);
    CHECK_TEXT(result.output, "7\n8\n20\n20\n");
    free_finished(&result);
    result = run_shell("head -c 10000 /dev/zero >big; echo $?; wc -c <big", &options);
    CHECK(strstr(result.output, "4096") != NULL);
    free_finished(&result);
}

static void test_memory_and_process_limits(void) {
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_MAX_MEMORY;
    options.max_memory = 64 << 20;
    struct finished result = run_shell("head -c 300m /dev/zero | tail -c 200m | wc -c; echo \"after\"", &options);
    CHECK(result.status.memory_limited_by != NONO_LIMITED_BY_NOTHING);
    CHECK(strstr(result.output, "209715200") == NULL);
    free_finished(&result);

    options.set = NONO_SPAWN_MAX_PROCESSES;
    options.max_processes = 8;
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoProcess *process = NULL;
    enum NonoErrorCode code = nono_sandbox_spawn(
        sandbox, ARGV("/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; echo all"), &options,
        &process);
    nono_prepared_sandbox_free(sandbox);
    if (code == NONO_ERROR_CODE_ERR_SANDBOX_INIT) {
        /* Root, and no control group to be had: said, not ignored. */
        CHECK_INT(geteuid(), 0);
        return;
    }
    CHECK_OK(code);
    result = finish(process, NULL);
    CHECK(result.status.processes_limited_by != NONO_LIMITED_BY_NOTHING);
    if (result.status.processes_limited_by != NONO_LIMITED_BY_RLIMIT) {
        CHECK_TEXT(result.output, "");
        CHECK(strstr(result.error, "fork") != NULL);
    }
    free_finished(&result);
}

static void test_another_user(void) {
    if (geteuid() != 0) {
        check_skip("only root can run a command as another user");
        return;
    }
    struct NonoSpawnOptions options = piped();
    options.set = NONO_SPAWN_USER;
    options.user = 54321;
    struct finished result = run_shell("id -u; id -g; id -G; kill -0 $PPID 2>&1 || echo refused", &options);
    CHECK(strncmp(result.output, "54321\n54321\n54321\n", 18) == 0);
    CHECK(strstr(result.output, "refused") != NULL);
    free_finished(&result);
    options.set |= NONO_SPAWN_GROUP;
    options.group = 54322;
    result = run_shell("id -u; id -g", &options);
    CHECK_TEXT(result.output, "54321\n54322\n");
    free_finished(&result);
    /* What can dump core can be traced by others of its user. */
    CHECK_INT(prctl(PR_GET_DUMPABLE), 1);
}

static void test_blocked_commands(void) {
    struct NonoCapabilitySet *caps = system_caps();
    CHECK_OK(nono_capability_set_block_command(caps, "cat"));
    CHECK_OK(nono_capability_set_block_command(caps, "echo"));
    CHECK_OK(nono_capability_set_allow_command(caps, "echo"));
    CHECK_INT(symlink("/bin/cat", "dog"), 0);
    struct NonoPreparedSandbox *sandbox = NULL;
    struct NonoProcess *process = NULL;
    CHECK_OK(nono_sandbox_prepare(caps, NULL, &sandbox));
    nono_capability_set_free(caps);
    static const char *const names[] = {"cat", "/bin/cat", "./dog"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        nono_clear_error();
        CHECK_INT(nono_sandbox_spawn(sandbox, ARGV(names[i]), NULL, &process), NONO_ERROR_CODE_ERR_BLOCKED_COMMAND);
        CHECK_OWNED(nono_last_error(),
                    "Command 'cat' is blocked: it is on the set's block list and not on its allow list");
    }
    struct finished result = finish(start(sandbox, ARGV("echo"), NULL), NULL);
    CHECK_INT(result.status.exit_code, 0);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

static const struct test tests[] = {
    {"output and status", test_output_and_status},
    {"only what is granted", test_only_what_is_granted},
    {"environment and directory", test_environment_and_directory},
    {"its own session, signals and descriptors", test_its_own_session_signals_and_descriptors},
    {"standard streams", test_standard_streams},
    {"taken pipes", test_taken_pipes},
    {"signals", test_signals},
    {"timeout", test_timeout},
    {"output beyond a limit is counted", test_output_beyond_a_limit_is_counted},
    {"output as it comes", test_output_as_it_comes},
    {"limits", test_limits},
    {"memory and process limits", test_memory_and_process_limits},
    {"another user", test_another_user},
    {"blocked commands", test_blocked_commands},
};

COMMANDS_MAIN("commands", 1, tests)
