/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that cannot be run: what is said about it, and that nothing is left behind. System calls of the keeper and
 * the child go past LD_PRELOAD, so they are made to fail by a filter, seccomp(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "commands.h"
#include "support.h"

static void test_arguments(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoProcess *process = NULL;
    struct NonoSpawnOptions options = piped();
    FAILS_ARGUMENT(nono_sandbox_prepare(NULL, NULL, &sandbox), "caps pointer is NULL");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS_ARGUMENT(nono_sandbox_prepare(caps, NULL, NULL), "out_sandbox pointer is NULL");
    nono_capability_set_free(caps);
    FAILS_ARGUMENT(nono_sandbox_spawn(NULL, ARGV("true"), NULL, &process), "sandbox pointer is NULL");
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), NULL, NULL), "out_process pointer is NULL");
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, NULL, NULL, &process), "command must not be empty");
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, (const char *const[]){NULL}, NULL, &process),
                   "command must not be empty");
    options.struct_size = 8;
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process), "struct_size of the options is 8");
    options = piped();
    options.set = 0x800;
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process), "unknown options: 0x800");
    options = piped();
    options.stdout_mode = NONO_STDIO_STDOUT;
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process),
                   "invalid mode of a standard stream: 3");
    options = piped();
    options.stdin_mode = NONO_STDIO_DESCRIPTOR;
    options.stdin_descriptor = 999;
    FAILS(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process), NONO_ERROR_CODE_ERR_INVALID_ARG, OTHER,
          .message = "descriptor 999 for a standard stream is not open", .os_error = EBADF);
    options = piped();
    options.set = NONO_SPAWN_USER;
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process),
                   "uid must be non-zero (0 is root; dropping to it is a no-op)");
    options.set = NONO_SPAWN_GROUP;
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process),
                   "gid must be non-zero (0 is the root group; dropping to it is a no-op)");
    options = piped();
    options.environment = ARGV("=x");
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process),
                   "environment variable name must not be empty");
    options.environment = ARGV("x");
    FAILS_ARGUMENT(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process),
                   "environment entry 'x' must contain '='");
    options.environment = ARGV("LD_PRELOAD=x");
    FAILS(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process), NONO_ERROR_CODE_ERR_INVALID_ARG,
          CONFIGURATION_ERROR, .message = "environment variable 'LD_PRELOAD' is not allowed in sandboxed_exec");
    options.set = NONO_SPAWN_ALLOW_LOADER_VARIABLES;
    options.environment = ARGV("LD_LIBRARY_PATH=/nowhere");
    struct finished result = finish(start(sandbox, ARGV("env"), &options), NULL);
    CHECK_TEXT(result.output, "LD_LIBRARY_PATH=/nowhere\n");
    free_finished(&result);

    struct NonoProcessStatus status = {.struct_size = 1};
    FAILS_ARGUMENT(nono_process_wait(NULL, 0, &status), "process pointer is NULL");
    FAILS_ARGUMENT(nono_process_signal(NULL, 1), "process pointer is NULL");
    FAILS_ARGUMENT(nono_process_kill(NULL), "process pointer is NULL");
    CHECK_INT(nono_process_descriptor(NULL), -1);
    CHECK_INT(nono_process_take_descriptor(NULL, 0), -1);
    CHECK(nono_process_failure(NULL) == NULL);
    process = start(sandbox, ARGV("true"), NULL);
    FAILS_ARGUMENT(nono_process_wait(process, 0, &status), "struct_size of the status is 1");
    FAILS_ARGUMENT(nono_process_wait(process, 0, NULL), "out_status pointer is NULL");
    struct NonoOutput output = {.struct_size = 1};
    FAILS_ARGUMENT(nono_process_communicate(process, NULL, &output), "struct_size of the output is 1");
    FAILS_ARGUMENT(nono_process_communicate(process, NULL, NULL), "out_output pointer is NULL");
    const struct NonoCommunication small = {.struct_size = 1};
    output.struct_size = sizeof output;
    FAILS_ARGUMENT(nono_process_communicate(process, &small, &output), "struct_size of the communication is 1");
    const struct NonoCommunication nothing = {.struct_size = sizeof nothing, .input_length = 1};
    FAILS_ARGUMENT(nono_process_communicate(process, &nothing, &output), "input is NULL");
    nono_process_free(process);
    nono_process_free(NULL);
    nono_prepared_sandbox_free(sandbox);
    nono_prepared_sandbox_free(NULL);
}

static void test_programs_and_directories_that_are_not_there(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoProcess *process = NULL;
    struct NonoSpawnOptions options = piped();
    FAILS(nono_sandbox_spawn(sandbox, ARGV("no-such-program"), &options, &process), NONO_ERROR_CODE_ERR_UNKNOWN,
          COMMAND_NOT_FOUND, .message = "Program not found in PATH: no-such-program", .os_error = ENOENT,
          .path = "no-such-program");
    FAILS(nono_sandbox_spawn(sandbox, ARGV("/no/such"), &options, &process), NONO_ERROR_CODE_ERR_UNKNOWN,
          COMMAND_NOT_FOUND, .message = "Program not found: /no/such", .os_error = ENOENT, .path = "/no/such");
    options.directory = "missing";
    FAILS(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process), NONO_ERROR_CODE_ERR_UNKNOWN,
          CONFIGURATION_ERROR,
          .message = "Cannot resolve working directory 'missing': No such file or directory (os error 2)",
          .os_error = ENOENT, .path = "missing");

    make_file("file", "no program");
    options.directory = "file";
    FAILS(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "failed to chdir: Not a directory (os error 20)", .os_error = ENOTDIR);
    CHECK_INT(nono_last_spawn_stage(), NONO_SPAWN_STAGE_CHDIR);
    options = piped();
    FAILS(nono_sandbox_spawn(sandbox, ARGV("./file"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "exec failed: Permission denied (os error 13)", .os_error = EACCES);
    CHECK_INT(nono_last_spawn_stage(), NONO_SPAWN_STAGE_EXEC);
    CHECK_INT(chmod("file", 0755), 0);
    FAILS(nono_sandbox_spawn(sandbox, ARGV("./file"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "exec failed: Exec format error (os error 8)", .os_error = ENOEXEC);

    /* The same told afterwards. */
    options.set = NONO_SPAWN_NO_WAIT;
    process = start(sandbox, ARGV("./file"), &options);
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_process_wait(process, -1, &status));
    CHECK(status.has_ended);
    CHECK_INT(status.exit_code, 127);
    CHECK_INT(status.failed_stage, NONO_SPAWN_STAGE_EXEC);
    CHECK_INT(status.failed_errno, ENOEXEC);
    CHECK_OWNED(nono_process_failure(process), "exec failed: Exec format error (os error 8)");
    nono_process_free(process);

    make_directory("bin");
    make_file("bin/tool", "#!/bin/sh\necho found \"$0\"\n");
    CHECK_INT(chmod("bin/tool", 0755), 0);
    options = piped();
    options.search_path = "/nowhere:bin";
    struct finished result = finish(start(sandbox, ARGV("tool"), &options), NULL);
    CHECK(strstr(result.output, "/bin/tool") != NULL);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
}

/* The call fails from now on, in this process and its children. With `argument` other than -1, only if its first or,
 * with `position`, another argument has that value. */
static void make_fail(long call, int error, int position, long argument) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (unsigned)position),
        BPF_JUMP(BPF_JMP | (argument == -1 ? BPF_JGE : BPF_JEQ) | BPF_K, argument == -1 ? 0 : (unsigned)argument, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

struct fault {
    const char *name;
    long call;
    int error;
    int position;
    long argument;
    unsigned stage;
    uint64_t set; /* what is asked for */
};

static const struct fault faults[] = {
    {"clone", SYS_clone, EAGAIN, 0, -1, NONO_SPAWN_STAGE_PROCESS, 0},
    {"clone of the command", SYS_clone, EAGAIN, 0, 0x5100 | SIGCHLD, NONO_SPAWN_STAGE_PROCESS, 0},
    {"pidfd_open", SYS_pidfd_open, ENOSYS, 0, -1, NONO_SPAWN_STAGE_PROCESS, 0},
    {"close_range", 436, ENOSYS, 0, -1, NONO_SPAWN_STAGE_PROCESS, 0},
    {"close_range of the command", 436, EINVAL, 2, 4, NONO_SPAWN_STAGE_STDIO, 0},
    {"subreaper", SYS_prctl, EPERM, 0, PR_SET_CHILD_SUBREAPER, NONO_SPAWN_STAGE_PROCESS, 0},
    {"dup3", SYS_dup3, EMFILE, 0, -1, NONO_SPAWN_STAGE_STDIO, 0},
    {"chdir", SYS_chdir, ENOENT, 0, -1, NONO_SPAWN_STAGE_CHDIR, 0},
    {"prlimit64", SYS_prlimit64, EPERM, 0, -1, NONO_SPAWN_STAGE_LIMITS, NONO_SPAWN_MAX_OPEN_FILES},
    {"setgroups", SYS_setgroups, EPERM, 0, -1, NONO_SPAWN_STAGE_PRIVILEGES, NONO_SPAWN_USER},
    {"setresgid", SYS_setresgid, EPERM, 0, -1, NONO_SPAWN_STAGE_PRIVILEGES, NONO_SPAWN_USER},
    {"setresuid", SYS_setresuid, EPERM, 0, -1, NONO_SPAWN_STAGE_PRIVILEGES, NONO_SPAWN_USER},
    {"landlock_restrict_self", 446, E2BIG, 0, -1, NONO_SPAWN_STAGE_LANDLOCK, 0},
    {"no_new_privs", SYS_prctl, EPERM, 0, PR_SET_NO_NEW_PRIVS, NONO_SPAWN_STAGE_LANDLOCK, 0},
    {"seccomp", SYS_seccomp, ENOSYS, 0, -1, NONO_SPAWN_STAGE_SECCOMP, 0},
    {"capget", SYS_capget, EPERM, 0, -1, NONO_SPAWN_STAGE_CAPABILITIES, 0},
    {"execve", SYS_execve, ENOENT, 0, -1, NONO_SPAWN_STAGE_EXEC, 0},
};

static void fail_at(void *argument) {
    const struct fault *fault = argument;
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoProcess *process = NULL;
    struct NonoSpawnOptions options = piped();
    options.directory = ".";
    options.set = fault->set;
    options.max_open_files = 64;
    options.user = 54321;
    int before = open_descriptors();
    make_fail(fault->call, fault->error, fault->position, fault->argument);
    enum NonoErrorCode code = nono_sandbox_spawn(sandbox, ARGV("/bin/echo", "started"), &options, &process);
    if (!CHECK_INT(code, NONO_ERROR_CODE_ERR_IO) || !CHECK_INT(nono_last_spawn_stage(), fault->stage) ||
        !CHECK_INT(nono_last_os_error(), fault->error)) {
        char *why = nono_last_error();
        fprintf(stderr, "%s: %s\n", fault->name, why);
        nono_string_free(why);
    }
    CHECK(process == NULL);
    CHECK_INT(open_descriptors(), before);
    nono_prepared_sandbox_free(sandbox);
}

static void test_every_call_that_fails_is_told(void) {
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if ((faults[i].set & NONO_SPAWN_USER) == 0 || geteuid() == 0) {
            in_child_with(fail_at, (void *)(uintptr_t)&faults[i]);
        }
    }
}

static void run_out_of_descriptors(void) {
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = NULL;
    int outside = open_descriptors();
    int failures = 0;
    for (int more = 0; more < 12; more++) {
        struct NonoPreparedSandbox *sandbox = system_sandbox();
        int before = open_descriptors();
        const struct rlimit limit = {(rlim_t)(before + more), 4096};
        const struct rlimit enough = {4096, 4096};
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
        enum NonoErrorCode code = nono_sandbox_spawn(sandbox, ARGV("/bin/true"), &options, &process);
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &enough), 0);
        if (code == NONO_ERROR_CODE_OK) {
            nono_process_free(process);
        } else {
            CHECK_INT(code, NONO_ERROR_CODE_ERR_IO);
            CHECK_INT(nono_last_os_error(), EMFILE);
            failures++;
        }
        CHECK_INT(open_descriptors(), before);
        nono_prepared_sandbox_free(sandbox);
    }
    CHECK(failures > 4 && failures < 12);
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct finished result = finish(start(sandbox, ARGV("/bin/true"), &options), NULL);
    CHECK_INT(result.status.exit_code, 0);
    free_finished(&result);
    nono_prepared_sandbox_free(sandbox);
    CHECK_INT(open_descriptors(), outside);
}

static void test_descriptors_that_run_out(void) {
    in_child(run_out_of_descriptors);
}

static void test_a_limit_that_cannot_be_set(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = NULL;
    options.set = NONO_SPAWN_MAX_OPEN_FILES;
    options.max_open_files = UINT64_C(1) << 40;
    FAILS(nono_sandbox_spawn(sandbox, ARGV("true"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .message = "failed to set resource limit (max_open_files: Operation not permitted (os error 1))",
          .os_error = EPERM);
    CHECK_INT(nono_last_spawn_stage(), NONO_SPAWN_STAGE_LIMITS);
    nono_prepared_sandbox_free(sandbox);
}

static const struct test tests[] = {
    {"arguments", test_arguments},
    {"programs and directories that are not there", test_programs_and_directories_that_are_not_there},
    {"every call that fails is told", test_every_call_that_fails_is_told},
    {"descriptors that run out", test_descriptors_that_run_out},
    {"a limit that cannot be set", test_a_limit_that_cannot_be_set},
};

COMMANDS_MAIN("command_faults", 1, tests)
