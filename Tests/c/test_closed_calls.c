/* SPDX-License-Identifier: Apache-2.0
 *
 * The system calls that a sandbox closes: each fails, each reaches the kernel with its option, and what ordinary
 * programs do goes on. Calls are made with arguments that the kernel refuses, so that nothing happens where they get
 * through. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { READ_WRITE = 2, BAD = -1 };

static void apply_allowing(uint64_t allow) {
    struct NonoCapabilitySet *caps = caps_with_path("/", READ_WRITE);
    NonoApplyOptions options = {.struct_size = sizeof options, .allow = allow};
    CHECK_OK(nono_sandbox_apply_with_options(caps, &options));
    nono_capability_set_free(caps);
}

static int outcome(long result) {
    return result < 0 ? errno : 0;
}

/* Bad addresses, bad descriptors, bad numbers. Where a capability is asked for first, the kernel says EPERM too, and
 * `is_privileged` tells that this one cannot be told apart without it. */
static const struct call {
    long number;
    uint64_t option;
    long arguments[5];
    bool is_privileged;
    const char *name;
} calls[] = {
#define CALL(name, option, is_privileged, ...) {SYS_##name, NONO_ALLOW_##option, {__VA_ARGS__}, is_privileged, #name}
    CALL(add_key, KEYRINGS, false, BAD, BAD, BAD, 1, BAD),
    CALL(request_key, KEYRINGS, false, BAD, BAD, BAD, BAD),
    CALL(keyctl, KEYRINGS, false, 4711),
    CALL(shmget, SYSV_IPC, false, 0x6e6f, 0, 0),
    CALL(shmat, SYSV_IPC, false, BAD, 0, 0),
    CALL(shmctl, SYSV_IPC, false, BAD, BAD, BAD),
    CALL(semget, SYSV_IPC, false, 0x6e6f, BAD, 0),
    CALL(semop, SYSV_IPC, false, BAD, BAD, 0),
    CALL(semctl, SYSV_IPC, false, BAD, BAD, BAD),
    CALL(semtimedop, SYSV_IPC, false, BAD, BAD, 0),
    CALL(msgget, SYSV_IPC, false, 0x6e6f, 0),
    CALL(msgsnd, SYSV_IPC, false, BAD, BAD, BAD),
    CALL(msgrcv, SYSV_IPC, false, BAD, BAD, BAD),
    CALL(msgctl, SYSV_IPC, false, BAD, BAD, BAD),
    CALL(mq_unlink, SYSV_IPC, false, BAD),
    CALL(bpf, BPF, false, 4711, BAD, 16),
    CALL(perf_event_open, PERF_EVENTS, false, BAD, 0, BAD, BAD),
    CALL(userfaultfd, USERFAULTFD, false, BAD),
    CALL(kexec_load, KERNEL_ADMINISTRATION, true, 0, 1, BAD, BAD),
    CALL(init_module, KERNEL_ADMINISTRATION, true, BAD, 1, BAD),
    CALL(finit_module, KERNEL_ADMINISTRATION, true, BAD, BAD, BAD),
    CALL(delete_module, KERNEL_ADMINISTRATION, true, BAD, 0),
    CALL(swapon, KERNEL_ADMINISTRATION, true, BAD, BAD),
    CALL(swapoff, KERNEL_ADMINISTRATION, true, BAD),
    CALL(reboot, KERNEL_ADMINISTRATION, true, 0, 0, 0),
    CALL(acct, KERNEL_ADMINISTRATION, true, BAD),
    CALL(quotactl, KERNEL_ADMINISTRATION, false, BAD, BAD, BAD, BAD),
    CALL(syslog, KERNEL_ADMINISTRATION, true, 4711, 0, 0),
#ifdef SYS_iopl
    CALL(iopl, KERNEL_ADMINISTRATION, false, 4711),
    CALL(ioperm, KERNEL_ADMINISTRATION, false, BAD, BAD, 0),
#endif
    CALL(mount, MOUNTS, true, BAD, BAD, BAD, 0, BAD),
    CALL(umount2, MOUNTS, false, BAD, BAD),
    CALL(pivot_root, MOUNTS, true, BAD, BAD),
    CALL(open_tree, MOUNTS, false, BAD, BAD, BAD),
    CALL(move_mount, MOUNTS, true, BAD, BAD, BAD, BAD, BAD),
    CALL(fsopen, MOUNTS, true, BAD, 0),
    CALL(fsconfig, MOUNTS, false, BAD, BAD, BAD),
    CALL(fsmount, MOUNTS, true, BAD, BAD, BAD),
    CALL(fspick, MOUNTS, true, BAD, BAD, 0),
#ifdef SYS_mount_setattr
    CALL(mount_setattr, MOUNTS, false, BAD, BAD, BAD, BAD, 0),
#endif
#ifdef SYS_quotactl_fd
    CALL(quotactl_fd, KERNEL_ADMINISTRATION, false, BAD, BAD, BAD, BAD),
#endif
#ifdef SYS_file_setattr
    CALL(file_setattr, KERNEL_ADMINISTRATION, false, BAD, BAD, BAD, BAD, BAD),
#endif
    CALL(open_by_handle_at, FILE_HANDLES, true, BAD, BAD, 0),
    CALL(fanotify_init, FILE_HANDLES, false, BAD, BAD),
    CALL(fanotify_mark, FILE_HANDLES, false, BAD, BAD, BAD, BAD, BAD),
    CALL(settimeofday, CLOCK_AND_HOSTNAME, false, BAD, BAD),
    CALL(clock_settime, CLOCK_AND_HOSTNAME, false, 4711, BAD),
    CALL(clock_adjtime, CLOCK_AND_HOSTNAME, false, 4711, BAD),
    CALL(adjtimex, CLOCK_AND_HOSTNAME, false, BAD),
    CALL(sethostname, CLOCK_AND_HOSTNAME, true, BAD, 1),
    CALL(setdomainname, CLOCK_AND_HOSTNAME, true, BAD, 1),
};
enum { CALLS = sizeof calls / sizeof calls[0] };

static int make_call(const struct call *call) {
    const long *a = call->arguments;
    return outcome(syscall(call->number, a[0], a[1], a[2], a[3], a[4]));
}

/* Everything is open, and one thing after the other closed. */
static void all_closed(void) {
    apply_allowing(0);
    for (size_t i = 0; i < CALLS; i++) {
        if (!CHECK_INT(make_call(&calls[i]), EPERM)) {
            fprintf(stderr, "    %s\n", calls[i].name);
        }
    }
}

/* With its option a call reaches the kernel, and the others do not. Landlock closes mounts by itself. */
static void one_open(void *argument) {
    uint64_t option = *(uint64_t *)argument;
    apply_allowing(option | NONO_ALLOW_CAPABILITIES);
    for (size_t i = 0; i < CALLS; i++) {
        if (calls[i].option != option) {
            CHECK_INT(make_call(&calls[i]), EPERM);
        } else if (!calls[i].is_privileged && option != NONO_ALLOW_MOUNTS) {
            if (!CHECK(make_call(&calls[i]) != EPERM)) {
                fprintf(stderr, "    %s\n", calls[i].name);
            }
        } else if (geteuid() == 0 && option != NONO_ALLOW_MOUNTS && calls[i].number != SYS_delete_module) {
            /* The kernel may be built without some of these. */
            int error = make_call(&calls[i]);
            if (!CHECK(error != EPERM)) {
                fprintf(stderr, "    %s\n", calls[i].name);
            }
        }
    }
}

static void groups(void) {
    if (!has_landlock(1)) {
        return;
    }
    in_child(all_closed);
    for (int bit = 0; bit < 10; bit++) {
        uint64_t option = UINT64_C(1) << bit;
        if (option != NONO_ALLOW_TERMINAL_INPUT) {
            in_child_with(one_open, &option);
        }
    }
}

/* TIOCSTI, whatever the high half of the command; other commands are none of our business. */
static int try_command(unsigned long command) {
    char byte = 'x';
    return outcome(syscall(SYS_ioctl, -1L, command, &byte));
}

static void terminal_closed(void) {
    enum { TIOCLINUX_COMMAND = 0x541c };
    apply_allowing(0);
    CHECK_INT(try_command(TIOCSTI), EPERM);
    CHECK_INT(try_command(TIOCLINUX_COMMAND), EPERM);
    CHECK_INT(try_command(0x100000000UL | TIOCSTI), EPERM);
    CHECK_INT(try_command(0xffffffff00000000UL | TIOCSTI), EPERM);
    CHECK_INT(try_command(TIOCGWINSZ), EBADF);
    CHECK_INT(try_command(TCGETS), EBADF);
}

static void terminal_open(void) {
    apply_allowing(NONO_ALLOW_TERMINAL_INPUT);
    CHECK_INT(try_command(TIOCSTI), EBADF);
    CHECK_INT(try_command(0x100000000UL | TIOCSTI), EBADF);
}

static void terminal(void) {
    if (has_landlock(1)) {
        in_child(terminal_closed);
        in_child(terminal_open);
    }
}

/* Limits, priorities and scheduling: one's own, and those of a bystander. */
static int try_limit(pid_t process, bool writes) {
    struct rlimit limit;
    if (prlimit(process, RLIMIT_CORE, NULL, &limit) != 0) {
        return errno;
    }
    return writes ? outcome(prlimit(process, RLIMIT_CORE, &limit, NULL)) : 0;
}

static void other_processes(void *argument) {
    pid_t bystander = *(pid_t *)argument;
    struct sched_param parameters = {0};
    cpu_set_t processors;
    CHECK_INT(sched_getaffinity(0, sizeof processors, &processors), 0);
    apply_allowing(0);
    CHECK_INT(try_limit(0, true), 0);
    CHECK_INT(try_limit(bystander, true), EPERM);
    /* Reading is left to the kernel, which may look at who asks. */
    CHECK(try_limit(getpid(), false) == 0);
    CHECK_INT(outcome(syscall(SYS_prlimit64, (long)bystander, (long)RLIMIT_CORE, 0x100000000L, 0L)), EPERM);
    CHECK_INT(outcome(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0))), 0);
    CHECK_INT(outcome(setpriority(PRIO_PROCESS, (id_t)bystander, 0)), EPERM);
    CHECK_INT(outcome(setpriority(PRIO_USER, 0, 0)), EPERM);
    CHECK_INT(outcome(setpriority(PRIO_PGRP, 0, 0)), EPERM);
    CHECK_INT(outcome(sched_setaffinity(0, sizeof processors, &processors)), 0);
    CHECK_INT(outcome(sched_setaffinity(bystander, sizeof processors, &processors)), EPERM);
    CHECK_INT(outcome(sched_setscheduler(0, SCHED_OTHER, &parameters)), 0);
    CHECK_INT(outcome(sched_setscheduler(bystander, SCHED_OTHER, &parameters)), EPERM);
    CHECK_INT(outcome(sched_setparam(bystander, &parameters)), EPERM);
    CHECK_INT(outcome(syscall(SYS_sched_setattr, (long)bystander, -1L, 0L)), EPERM);
    CHECK(outcome(syscall(SYS_sched_setattr, 0L, -1L, 0L)) == EFAULT);
    CHECK_INT(outcome(syscall(SYS_ioprio_set, 1L, (long)bystander, 0L)), EPERM);
    CHECK_INT(outcome(syscall(SYS_ioprio_set, 3L, 0L, 0L)), EPERM);
    CHECK_INT(outcome(syscall(SYS_ioprio_set, 1L, 0L, 0L)), 0);
}

static void other_processes_open(void *argument) {
    pid_t bystander = *(pid_t *)argument;
    apply_allowing(NONO_ALLOW_OTHER_PROCESSES | NONO_ALLOW_CAPABILITIES);
    CHECK_INT(try_limit(bystander, true), 0);
    CHECK_INT(outcome(setpriority(PRIO_PROCESS, (id_t)bystander, 0)), 0);
    CHECK_INT(outcome(syscall(SYS_sched_setattr, (long)bystander, -1L, 0L)), EFAULT);
}

static void bystanders(void) {
    if (!has_landlock(1)) {
        return;
    }
    pid_t bystander = fork();
    if (bystander == 0) {
        for (;;) {
            pause();
        }
    }
    in_child_with(other_processes, &bystander);
    in_child_with(other_processes_open, &bystander);
    kill(bystander, SIGKILL);
    CHECK_INT(waitpid(bystander, NULL, 0), bystander);
}

/* Foreign processor modes */

#if defined(__x86_64__)
static void ends_by_sigsys(void (*body)(void)) {
    pid_t child = fork();
    if (child == 0) {
        apply_allowing(~UINT64_C(0) >> 50);
        body();
        _exit(0);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK_INT(WTERMSIG(status), SIGSYS);
}

static void call_i386(void) {
    long number = 20; /* getpid */
    __asm__ volatile("int $0x80" : "+a"(number) : : "memory");
}

static void call_x32(void) {
    syscall(0x40000000L | SYS_getpid);
}

static void call_nothing(void) {
    apply_allowing(0);
    CHECK_INT(outcome(syscall(-1L)), ENOSYS);
    CHECK_INT(outcome(syscall(0x3fffffffL)), ENOSYS);
}
#endif

static void foreign_modes(void) {
#if defined(__x86_64__)
    if (has_landlock(1)) {
        ends_by_sigsys(call_i386);
        ends_by_sigsys(call_x32);
        in_child(call_nothing);
    }
#endif
}

static const struct test tests[] = {
    {"groups", groups}, {"terminal", terminal}, {"bystanders", bystanders}, {"foreign_modes", foreign_modes}};

CHECK_MAIN("closed_calls", tests)
