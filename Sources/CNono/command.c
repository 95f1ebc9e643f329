/* SPDX-License-Identifier: Apache-2.0
 *
 * The child between clone and exec. It runs on the program's memory while the keeper waits: system calls only, without
 * libc (nono_raw.h), and nothing is written but the command's own fields. */
#define _GNU_SOURCE
#include "nono_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/resource.h>

#include "nono_raw.h"

#define LANDLOCK_RESTRICT_SELF 446
#define CLOSE_RANGE 436
#define CLOSE_RANGE_SETS_CLOEXEC 4UL
#define HIGHEST_SIGNAL 64

struct seccomp_program {
    unsigned short length;
    const struct nono_sys_instruction *instructions;
};

struct signal_action {
    uintptr_t handler;
    unsigned long flags;
    uintptr_t restorer;
    uint64_t mask;
};

static long fail(struct nono_sys_command *command, int stage, int detail, long error) {
    command->stage = stage;
    command->detail = detail;
    command->error = (int)-error;
    if (command->report >= 0) {
        const int failure[3] = {stage, detail, (int)-error};
        nono_raw(SYS_write, command->report, failure, sizeof failure);
    }
    return error;
}

/* Descriptors 0 to 2 are what the command gets; all others close at exec. */
static long wire_stdio(struct nono_sys_command *command) {
    int fds[3];
    for (int i = 0; i < 3; i++) {
        long fd = command->launch.stdio[i];
        /* One in the place of another would be overwritten before its turn. */
        if (fd < 3) {
            fd = nono_raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
            if (fd < 0) {
                return fail(command, NONO_SYS_LAUNCH_STDIO, i, fd);
            }
        }
        fds[i] = (int)fd;
    }
    for (int i = 0; i < 3; i++) {
        long result = nono_raw(SYS_dup3, fds[i], i, 0);
        if (result < 0) {
            return fail(command, NONO_SYS_LAUNCH_STDIO, i, result);
        }
    }
    long result = nono_raw(CLOSE_RANGE, 3, ~0U, CLOSE_RANGE_SETS_CLOEXEC);
    return result < 0 ? fail(command, NONO_SYS_LAUNCH_STDIO, 3, result) : 0;
}

/* What the program ignores or blocks is no business of the command. Handlers go at exec by themselves. */
static void reset_signals(void) {
    const struct signal_action standard = {0};
    for (int number = 1; number <= HIGHEST_SIGNAL; number++) {
        /* Refused for SIGKILL and SIGSTOP. */
        nono_raw(SYS_rt_sigaction, number, &standard, NULL, sizeof standard.mask);
    }
}

static void unblock_signals(void) {
    const uint64_t none = 0;
    nono_raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

static long set_limits(struct nono_sys_command *command) {
    const struct nono_sys_launch *launch = &command->launch;
    for (int i = 0; i < NONO_SYS_MOST_GROUPS; i++) {
        /* 0 stands for the process that writes, cgroups(7). */
        long result = launch->groups[i] < 0 ? 1 : nono_raw(SYS_write, launch->groups[i], "0", 1);
        if (result < 0) {
            return fail(command, NONO_SYS_LAUNCH_LIMITS, launch->limit_count + i, result);
        }
    }
    for (int i = 0; i < launch->limit_count; i++) {
        const struct rlimit limit = {launch->limits[i].value, launch->limits[i].value};
        long result = nono_raw(SYS_prlimit64, 0, launch->limits[i].resource, &limit, NULL);
        if (result < 0) {
            return fail(command, NONO_SYS_LAUNCH_LIMITS, i, result);
        }
    }
    return 0;
}

/* Who has this capability may raise limits again. */
static long keep_limits(struct nono_sys_command *command) {
    if (command->launch.limit_count == 0) {
        return 0;
    }
    long result = nono_raw_drop_capabilities(UINT64_C(1) << CAP_SYS_RESOURCE);
    return result < 0 ? fail(command, NONO_SYS_LAUNCH_CAPABILITIES, 0, result) : 0;
}

/* Groups first: without the user's privileges they could not be changed any more. */
/* The kernel takes -1 for "as it is". */
static long check_id(uint32_t id) {
    return id == UINT32_MAX ? -EINVAL : 0;
}

static long change_user(struct nono_sys_command *command) {
    const struct nono_sys_launch *launch = &command->launch;
    if (!launch->changes_user && !launch->changes_group) {
        return 0;
    }
    long result = nono_raw(SYS_setgroups, 0, NULL);
    if (result < 0) {
        return fail(command, NONO_SYS_LAUNCH_PRIVILEGES, 0, result);
    }
    if (launch->changes_group) {
        result = check_id(launch->group);
        result = result < 0 ? result : nono_raw(SYS_setresgid, launch->group, launch->group, launch->group);
        if (result < 0) {
            return fail(command, NONO_SYS_LAUNCH_PRIVILEGES, 1, result);
        }
    }
    if (launch->changes_user) {
        result = check_id(launch->user);
        result = result < 0 ? result : nono_raw(SYS_setresuid, launch->user, launch->user, launch->user);
        if (result < 0) {
            return fail(command, NONO_SYS_LAUNCH_PRIVILEGES, 2, result);
        }
    }
    return 0;
}

long nono_command_restrict(const struct nono_sys_restriction *restriction, int *stage) {
    const struct seccomp_program program = {restriction->program_length, restriction->program};
    *stage = NONO_SYS_LAUNCH_LANDLOCK;
    long result = nono_raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (result == 0) {
        result = nono_raw(LANDLOCK_RESTRICT_SELF, restriction->ruleset, 0);
    }
    if (result == 0) {
        *stage = NONO_SYS_LAUNCH_SECCOMP;
        result = nono_raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    }
    if (result == 0) {
        *stage = NONO_SYS_LAUNCH_CAPABILITIES;
        result = nono_raw_drop_capabilities(restriction->dropped_capabilities);
    }
    return result;
}

static long restrict_self(struct nono_sys_command *command) {
    int stage;
    long result = nono_command_restrict(&command->restriction, &stage);
    return result < 0 ? fail(command, stage, 0, result) : 0;
}

int nono_command_run(void *argument) {
    struct nono_sys_command *command = argument;
    const struct nono_sys_launch *launch = &command->launch;
    nono_raw(SYS_setsid);
    if (wire_stdio(command) < 0) {
        return 126;
    }
    if (launch->directory != NULL || command->directory >= 0) {
        long result = launch->directory != NULL ? nono_raw(SYS_chdir, launch->directory)
                                                : nono_raw(SYS_fchdir, command->directory);
        if (result < 0) {
            fail(command, NONO_SYS_LAUNCH_CHDIR, 0, result);
            return 126;
        }
    }
    if (launch->mask >= 0) {
        nono_raw(SYS_umask, launch->mask);
    }
    reset_signals();
    if (set_limits(command) < 0 || change_user(command) < 0 || keep_limits(command) < 0) {
        return 126;
    }
    /* Behind the change of user, which clears it. A keeper that ended before has left us to another. */
    nono_raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (nono_raw(SYS_getppid) != command->keeper || (!command->is_restricted && restrict_self(command) < 0)) {
        return 126;
    }
    unblock_signals();
    fail(command, NONO_SYS_LAUNCH_EXEC, 0, nono_raw(SYS_execve, launch->program, command->argv, command->envp));
    return 127;
}
