/* SPDX-License-Identifier: Apache-2.0
 *
 * The two processes of a slot, in which one command after the other runs without entering its sandbox anew: the kernel
 * copies all rules of a sandbox whenever a process enters it.
 *
 * The guard shares the program's memory, as a keeper does. Its child, the template, gives that memory up, enters the
 * sandbox, once and for good, and is the keeper of each command: it starts it, and kills and reaps what is left of it.
 *
 * The template is in the same sandbox as its commands, so they can send it SIGKILL and SIGSTOP, and nothing else: it
 * has no memory of the program's, cannot be traced (PR_SET_DUMPABLE) and ignores all other signals. The guard is in a
 * domain around that sandbox, out of their reach. If the template ends or stands still, or the program is gone, the
 * guard kills everything in there, reaps it, and ends the slot.
 *
 * System calls only, without libc (nono_raw.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "nono_keeper.h"
#include "nono_raw.h"

#define WAITS_FOR_ALL 0x40000000 /* __WALL */

static void tell(const struct nono_sys_slot *slot, char news) {
    nono_raw(SYS_sendto, slot->template_end, &news, 1, MSG_NOSIGNAL, NULL, 0);
}

static long unmap(uintptr_t from, uintptr_t to) {
    return from < to ? nono_raw(SYS_munmap, from, to - from) : 0;
}

/* Gives up all memory but the library's own and, of the slot's, what is behind the guard's stack. */
static long shed_memory(const struct nono_sys_slot *slot) {
    /* The highest address differs with the paging of the processor. */
    static const unsigned bits[] = {52, 48, 47, 42, 39};
    uintptr_t here = (uintptr_t)slot;
    uintptr_t here_end = (uintptr_t)slot->block + NONO_SLOT_BLOCK;
    bool slot_is_first = here < slot->library.start;
    uintptr_t first = slot_is_first ? here : slot->library.start;
    uintptr_t first_end = slot_is_first ? here_end : slot->library.end;
    uintptr_t second = slot_is_first ? slot->library.start : here;
    uintptr_t second_end = slot_is_first ? slot->library.end : here_end;
    long result = unmap(0, first);
    result = result < 0 ? result : unmap(first_end, second);
    for (size_t i = 0; result == 0 && i < sizeof bits / sizeof bits[0]; i++) {
        /* Without the last page, which no process has. */
        uintptr_t top = ((uintptr_t)1 << bits[i]) - 4096;
        if (top > second_end && unmap(second_end, top) == 0) {
            return 0;
        }
    }
    return result < 0 ? result : -EINVAL;
}

/* Signals that commands send, all but SIGKILL and SIGSTOP, are to have no effect, and not to be kept either: those
 * would be the user's to make room for. */
static void ignore_signals(void) {
    const uint64_t none = 0;
    const struct {
        uintptr_t handler;
        unsigned long flags;
        uintptr_t restorer;
        uint64_t mask;
    } ignored = {.handler = (uintptr_t)SIG_IGN};
    for (int number = 1; number <= 64; number++) {
        /* Ignored, this one would have children vanish. It does nothing as it is. */
        if (number != SIGCHLD) {
            nono_raw(SYS_rt_sigaction, number, &ignored, NULL, sizeof ignored.mask);
        }
    }
    nono_raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

static long enter_sandbox(const struct nono_sys_slot *slot) {
    const int kept[] = {slot->template_end};
    int stage;
    ignore_signals();
    nono_raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    long result = nono_raw(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (result == 0 && nono_raw(SYS_getppid) != slot->guard_number) {
        result = -ESRCH;
    }
    result = result < 0 ? result : nono_command_restrict(&slot->restriction, &stage);
    /* Its own scope, and not that of the guard, keeps it from the guard. */
    if (result == 0 && nono_raw(SYS_kill, slot->guard_number, 0) != -EPERM) {
        result = -ENOTSUP;
    }
    result = result < 0 ? result : nono_keeper_close_all_but(kept, 1);
    result = result < 0 ? result : shed_memory(slot);
    return result < 0 ? result : nono_raw(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Puts the descriptors, as numbered here, into the places of those that the program named, in their order. Returns
 * whether there are as many as that takes. */
static bool place(struct nono_sys_task *task, const int *fds, int count) {
    struct nono_sys_launch *launch = &task->command.launch;
    int *const places[NONO_TEMPLATE_FDS] = {&launch->stdio[0], &launch->stdio[1],        &launch->stdio[2],
                                            &task->hear,       &task->command.directory, &launch->groups[0],
                                            &launch->groups[1]};
    int next = 0;
    for (int i = 0; i < NONO_TEMPLATE_FDS; i++) {
        if (*places[i] >= 0) {
            *places[i] = next < count ? fds[next] : -1;
            next++;
        }
    }
    return next == count;
}

/* A message of the program: its sender, as the kernel tells it, and descriptors. */
struct order {
    int sender;
    int fds[NONO_TEMPLATE_FDS];
    int count;
};

static void read_control(const struct msghdr *message, struct order *order) {
    const char *at = message->msg_control;
    const char *end = at + message->msg_controllen;
    while (end - at >= (ptrdiff_t)CMSG_LEN(0)) {
        const struct cmsghdr *header = (const void *)at;
        size_t size = header->cmsg_len - CMSG_LEN(0);
        if (header->cmsg_len < CMSG_LEN(0) || header->cmsg_len > (size_t)(end - at)) {
            return;
        }
        if (header->cmsg_type == SCM_CREDENTIALS && size == sizeof(struct ucred)) {
            order->sender = ((const struct ucred *)(const void *)(at + CMSG_LEN(0)))->pid;
        }
        if (header->cmsg_type == SCM_RIGHTS) {
            const int *fds = (const void *)(at + CMSG_LEN(0));
            for (; order->count < NONO_TEMPLATE_FDS && (size_t)order->count < size / sizeof *fds; order->count++) {
                order->fds[order->count] = fds[order->count];
            }
        }
        at += CMSG_ALIGN(header->cmsg_len);
    }
}

/* Waits for the next command. NULL when the program is gone. */
static struct nono_sys_task *receive(const struct nono_sys_slot *slot) {
    const int kept[] = {slot->template_end};
    for (;;) {
        char byte;
        struct iovec part = {&byte, 1};
        _Alignas(struct cmsghdr) char
            control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * NONO_TEMPLATE_FDS)];
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct order order = {.sender = 0};
        if (nono_raw(SYS_recvmsg, slot->template_end, &message, MSG_CMSG_CLOEXEC) <= 0) {
            return NULL;
        }
        read_control(&message, &order);
        struct nono_sys_task *task = slot->block;
        /* A forked child of the program may have the other end too. */
        if (order.sender != slot->caller) {
            nono_keeper_close_all_but(kept, 1);
        } else if (place(task, order.fds, order.count)) {
            return task;
        } else {
            task->stage = NONO_SYS_LAUNCH_PROCESS;
            task->error = EMFILE;
            task->is_done = true;
            nono_keeper_close_all_but(kept, 1);
            tell(slot, NONO_TEMPLATE_ENDED);
        }
    }
}

/* The command has what it needs; the program's pipes must not stay open here. */
static void close_streams(struct nono_sys_task *task, int caller_fd, int command_fd, const void *context) {
    const struct nono_sys_slot *slot = context;
    const int kept[] = {slot->template_end, task->hear, command_fd};
    (void)caller_fd;
    if (task->command.launch.reports_start) {
        tell(slot, NONO_TEMPLATE_STARTED);
    }
    nono_keeper_close_all_but(kept, sizeof kept / sizeof kept[0]);
}

static int run_template(void *argument) {
    const struct nono_sys_slot *slot = argument;
    const int kept[] = {slot->template_end};
    if (enter_sandbox(slot) < 0) {
        return 1;
    }
    tell(slot, NONO_TEMPLATE_READY);
    struct nono_sys_task *task;
    while ((task = receive(slot)) != NULL) {
        /* The guard watches for the program. */
        nono_keeper_supervise(task, -1, slot, close_streams);
        nono_keeper_close_all_but(kept, 1);
        task->is_done = true;
        tell(slot, NONO_TEMPLATE_ENDED);
    }
    return 0;
}

/* Waits until the template has ended or stands still, or the program is gone or asks for the end. */
static void watch(const struct nono_sys_slot *slot, int caller_fd, int signals, long template) {
    struct pollfd fds[3] = {
        {.fd = signals, .events = POLLIN},
        {.fd = caller_fd, .events = POLLIN},
        {.fd = slot->hear, .events = POLLIN},
    };
    char information[128];
    for (;;) {
        long ready = nono_raw(SYS_ppoll, fds, 3, NULL, NULL, 8);
        if (ready > 0 && (fds[1].revents != 0 || fds[2].revents != 0)) {
            return;
        }
        if (ready > 0 && fds[0].revents != 0) {
            nono_raw(SYS_read, signals, information, sizeof information);
            if (nono_raw(SYS_wait4, template, NULL, WNOHANG | WUNTRACED | WAITS_FOR_ALL, NULL) != 0) {
                return;
            }
        }
    }
}

/* Without a vfork, and with memory of its own, in which the block is for this one fork. */
static long fork_template(struct nono_sys_slot *slot) {
    long result = nono_raw(SYS_madvise, slot->block, NONO_SLOT_BLOCK, MADV_DOFORK);
    if (result < 0) {
        return result;
    }
    long template = nono_raw_clone(SIGCHLD, slot->template_stack_end, NULL, run_template, slot);
    result = nono_raw(SYS_madvise, slot->block, NONO_SLOT_BLOCK, MADV_DONTFORK);
    if (template > 0 && result < 0) {
        nono_raw(SYS_kill, template, SIGKILL);
        return result;
    }
    return template;
}

int nono_guard_run(void *argument) {
    struct nono_sys_slot *slot = argument;
    const uint64_t child_signal = UINT64_C(1) << (SIGCHLD - 1);
    slot->guard_number = (int)nono_raw(SYS_getpid);
    long caller_fd = nono_keeper_settle(slot->caller);
    long result = caller_fd < 0 ? caller_fd : nono_keeper_enter_scope(slot->scope, slot->caller);
    long signals = result < 0 ? result : nono_raw(SYS_signalfd4, -1, &child_signal, sizeof child_signal, 0);
    result = signals < 0 ? signals : 0;
    long template = result < 0 ? result : fork_template(slot);
    if (template <0) {
        return 1;
    }
    const int kept[] = {slot->hear, (int)caller_fd, (int)signals};
    nono_keeper_close_all_but(kept, sizeof kept / sizeof kept[0]);
    watch(slot, (int)caller_fd, (int)signals, template);
    nono_raw(SYS_kill, -1, SIGKILL);
    while (nono_raw(SYS_wait4, -1, NULL, WAITS_FOR_ALL, NULL) != -ECHILD) {
    }
    return 0;
}
