/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper: starts one command, waits for it, and ends all that it started. A process of its own that shares the
 * program's memory, runs beside its threads and may outlive the thread that made it: system calls only, without libc
 * (nono_raw.h).
 *
 * What makes it certain that nothing survives:
 * - it is a subreaper, prctl(2): a descendant of the command whose parent ends becomes its child. When it has no child
 *   any more, the command has no descendant any more;
 * - it has entered a Landlock domain that scopes signals and holds nobody else (ABI 6). kill(-1) then means exactly the
 *   descendants, whatever their session, and all of them at once: a process that is about to die cannot fork;
 * - the command has a domain below that one, so that it can neither signal nor trace the keeper, whose memory is that
 *   of the program;
 * - a pidfd tells it when the program is gone. */
#define _GNU_SOURCE
#include "nono_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "nono_raw.h"

#define LANDLOCK_RESTRICT_SELF 446
#define CLOSE_RANGE 436
#define PIDFD_OPEN 434
#define WAITS_FOR_ALL 0x40000000 /* __WALL */
/* How often what is left is looked for one by one. A process that forks and ends for ever could keep ahead. */
#define MOST_HUNTS 100000

static const int64_t second = INT64_C(1000000000);

static int64_t now(void) {
    struct timespec time;
    nono_raw(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * second + time.tv_nsec;
}

static void fail(struct nono_sys_task *task, int stage, long error) {
    task->stage = stage;
    task->error = (int)-error;
}

/* Closes every descriptor but these; the program's pipes must not stay open here. */
long nono_keeper_close_all_but(const int *kept, int count) {
    int sorted[16];
    for (int i = 0; i < count; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > kept[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = kept[i];
    }
    unsigned from = 0;
    for (int i = 0; i < count; i++) {
        if (sorted[i] < 0 || (unsigned)sorted[i] < from) {
            continue;
        }
        if ((unsigned)sorted[i] > from) {
            long result = nono_raw(CLOSE_RANGE, from, sorted[i] - 1, 0);
            if (result < 0) {
                return result;
            }
        }
        from = (unsigned)sorted[i] + 1;
    }
    return nono_raw(CLOSE_RANGE, from, ~0U, 0);
}

/* Makes kill(-1) safe. -EPERM from a signal to the program shows that the scope holds. */
long nono_keeper_enter_scope(int scope, int caller) {
    long result = nono_raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (result == 0) {
        result = nono_raw(LANDLOCK_RESTRICT_SELF, scope, 0);
    }
    if (result == 0 && nono_raw(SYS_kill, caller, 0) != -EPERM) {
        result = -ENOTSUP;
    }
    return result;
}

static long clone_command(struct nono_sys_command *command, unsigned long memory, int *command_fd) {
    _Alignas(16) char stack[8192];
    command->keeper = (int)nono_raw(SYS_getpid);
    return nono_raw_clone(memory | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, stack + sizeof stack, command_fd,
                          nono_command_run, command);
}

/* With memory of its own, the child tells by a pipe what failed. It closes with exec. */
static long fork_command(struct nono_sys_command *command, int *command_fd) {
    int fds[2];
    int failure[3];
    long result = nono_raw(SYS_pipe2, fds, O_CLOEXEC);
    if (result < 0) {
        return result;
    }
    /* Out of the way of the standard streams. */
    command->report = (int)nono_raw(SYS_fcntl, fds[1], F_DUPFD_CLOEXEC, 3);
    nono_raw(SYS_close, fds[1]);
    result = command->report < 0 ? command->report : clone_command(command, 0, command_fd);
    if (command->report >= 0) {
        nono_raw(SYS_close, command->report);
    }
    if (result > 0 && nono_raw(SYS_read, fds[0], failure, sizeof failure) == (long)sizeof failure) {
        command->stage = failure[0];
        command->detail = failure[1];
        command->error = failure[2];
    }
    nono_raw(SYS_close, fds[0]);
    return result;
}

static long start_command(struct nono_sys_task *task, int *command_fd) {
    struct nono_sys_command *command = &task->command;
    const struct nono_sys_launch *launch = &command->launch;
    /* A change of user while the memory is shared would let that user at the program's memory, and keep the program
     * from dumping core, prctl(2): PR_SET_DUMPABLE. */
    bool shares = command->is_restricted || (!launch->changes_user && !launch->changes_group);
    return shares ? clone_command(command, CLONE_VM, command_fd) : fork_command(command, command_fd);
}

/* Takes the end of a child into account. */
static void note_end(struct nono_sys_task *task, long child, int status) {
    if (child == task->pid) {
        task->status = status;
        task->is_reaped = true;
    }
}

/* Reaps all children that have ended. Returns -ECHILD if none is left, and 0 if there are others. */
static long reap(struct nono_sys_task *task, int options) {
    for (;;) {
        int status = 0;
        long child = nono_raw(SYS_wait4, -1, &status, WAITS_FOR_ALL | options, NULL);
        if (child <= 0) {
            return child;
        }
        note_end(task, child, status);
        if ((options & WNOHANG) == 0) {
            return 0;
        }
    }
}

/* Kills the children that the kernel lists. Returns how many it found, or -errno. */
static long kill_listed(void) {
    char buffer[1024];
    long found = 0;
    int child = 0;
    long fd = nono_raw(SYS_openat, AT_FDCWD, "/proc/thread-self/children", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        return fd;
    }
    for (;;) {
        long length = nono_raw(SYS_read, fd, buffer, sizeof buffer);
        if (length <= 0) {
            break;
        }
        for (long i = 0; i < length; i++) {
            if (buffer[i] >= '0' && buffer[i] <= '9') {
                child = child * 10 + (buffer[i] - '0');
            } else if (child != 0) {
                nono_raw(SYS_kill, child, SIGKILL);
                child = 0;
                found++;
            }
        }
    }
    nono_raw(SYS_close, fd);
    return found;
}

/* Where signals cannot be scoped: what dies leaves its children to us, until none is left. */
static void hunt(struct nono_sys_task *task) {
    for (int i = 0; i < MOST_HUNTS; i++) {
        if (reap(task, WNOHANG) == -ECHILD) {
            return;
        }
        long found = kill_listed();
        if (found < 0) {
            /* Without /proc, what we know of: the command and its group. */
            if (!task->is_reaped) {
                nono_raw(SYS_kill, task->pid, SIGKILL);
                nono_raw(SYS_kill, -task->pid, SIGKILL);
                reap(task, 0);
            }
            break;
        }
        if (found > 0) {
            reap(task, 0);
        }
    }
    task->leaves_survivors = reap(task, WNOHANG) != -ECHILD;
}

/* Ends the command and all that it started, and waits until they have. */
static void end_all(struct nono_sys_task *task) {
    if (reap(task, WNOHANG) == -ECHILD) {
        return;
    }
    if (task->command.launch.scope < 0) {
        hunt(task);
        return;
    }
    nono_raw(SYS_kill, -1, SIGKILL);
    while (reap(task, 0) != -ECHILD) {
    }
}

/* Carries out one order. Returns whether it is to end everything. */
static bool obey(const struct nono_sys_task *task) {
    unsigned char order;
    if (nono_raw(SYS_read, task->hear, &order, 1) != 1 || order == NONO_KEEPER_END) {
        return true;
    }
    nono_raw(SYS_kill, task->pid, order);
    return false;
}

/* Waits for the command's end, or for what is a reason to end it. */
static int wait_for_cause(const struct nono_sys_task *task, int command_fd, int caller_fd) {
    int64_t timeout = task->command.launch.timeout;
    int64_t deadline = timeout < 0 ? 0 : now() + timeout;
    struct pollfd fds[3] = {
        {.fd = command_fd, .events = POLLIN},
        {.fd = task->hear, .events = POLLIN},
        {.fd = caller_fd, .events = POLLIN},
    };
    for (;;) {
        struct timespec rest;
        if (timeout >= 0) {
            int64_t left = deadline - now();
            left = left < 0 ? 0 : left;
            rest = (struct timespec){.tv_sec = left / second, .tv_nsec = left % second};
        }
        long ready = nono_raw(SYS_ppoll, fds, 3, timeout < 0 ? NULL : &rest, NULL, 8);
        if (ready == 0) {
            return NONO_SYS_CAUSE_TIMEOUT;
        }
        if (ready > 0 && fds[0].revents != 0) {
            return NONO_SYS_CAUSE_EXITED;
        }
        if (ready > 0 && (fds[2].revents != 0 || (fds[1].revents != 0 && obey(task)))) {
            return NONO_SYS_CAUSE_KILLED;
        }
    }
}

long nono_keeper_settle(int caller) {
    static const char name[] = "nono-keeper";
    const struct {
        uintptr_t handler;
        unsigned long flags;
        uintptr_t restorer;
        uint64_t mask;
    } standard = {0};
    nono_raw(SYS_prctl, PR_SET_NAME, name, 0, 0, 0);
    nono_raw(SYS_setpgid, 0, 0);
    /* Where the program ignores it, children would vanish without a word. */
    nono_raw(SYS_rt_sigaction, SIGCHLD, &standard, NULL, sizeof standard.mask);
    long result = nono_raw(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    return result < 0 ? result : nono_raw(PIDFD_OPEN, caller, 0);
}

/* Before the command: what fails here has started nothing. Returns the pidfd of the program, or -1. */
static int prepare(struct nono_sys_task *task) {
    const struct nono_sys_launch *launch = &task->command.launch;
    long caller_fd = nono_keeper_settle(task->caller);
    long result = caller_fd;
    if (result >= 0) {
        const int kept[] = {
            task->tell,       task->hear,    (int)caller_fd,    launch->stdio[0],  launch->stdio[1],
            launch->stdio[2], launch->scope, launch->groups[0], launch->groups[1], task->command.restriction.ruleset};
        result = nono_keeper_close_all_but(kept, sizeof kept / sizeof kept[0]);
    }
    if (result < 0) {
        fail(task, NONO_SYS_LAUNCH_PROCESS, result);
        return -1;
    }
    if (launch->scope >= 0) {
        result = nono_keeper_enter_scope(launch->scope, task->caller);
        if (result < 0) {
            fail(task, NONO_SYS_LAUNCH_LANDLOCK, result);
            return -1;
        }
    }
    return (int)caller_fd;
}

void nono_keeper_supervise(struct nono_sys_task *task, int caller_fd, const void *context,
                           void (*after_start)(struct nono_sys_task *task, int caller_fd, int command_fd,
                                               const void *context)) {
    int command_fd = -1;
    long child = start_command(task, &command_fd);
    if (child < 0) {
        fail(task, NONO_SYS_LAUNCH_PROCESS, child);
        return;
    }
    task->pid = (int)child;
    task->stage = task->command.stage;
    task->error = task->command.error;
    after_start(task, caller_fd, command_fd, context);
    task->cause = wait_for_cause(task, command_fd, caller_fd);
    end_all(task);
    nono_raw(SYS_close, command_fd);
}

/* The program's pipes must not stay open here. */
static void tell_of_start(struct nono_sys_task *task, int caller_fd, int command_fd, const void *context) {
    (void)context;
    const int kept[] = {task->hear, caller_fd, command_fd};
    if (task->tell >= 0) {
        nono_raw(SYS_write, task->tell, "S", 1);
    }
    nono_keeper_close_all_but(kept, sizeof kept / sizeof kept[0]);
}

int nono_keeper_run(void *argument) {
    struct nono_sys_task *task = argument;
    int caller_fd = prepare(task);
    if (caller_fd >= 0) {
        nono_keeper_supervise(task, caller_fd, NULL, tell_of_start);
    }
    task->is_done = true;
    return 0;
}
