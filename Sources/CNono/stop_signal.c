/* SPDX-License-Identifier: Apache-2.0
 *
 * The signal that stops threads, borrowed from libc: 33, which glibc keeps for setuid() and therefore never lets a
 * program block. Its own uses of it are told apart by what the signal carries, and passed on. (musl keeps it for
 * pthread_cancel(), to the same effect.) Because libc hides it, all this is in the kernel's own terms. */
#define _GNU_SOURCE
#include "nono_threads.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STOP_SIGNAL 33

/* The kernel's own layout, which glibc's struct sigaction is not; rt_sigaction(2). */
struct kernel_sigaction {
    union {
        void (*handler)(int, siginfo_t *, void *);
        uintptr_t disposition; /* SIG_DFL, SIG_IGN */
    } to;
    unsigned long flags;
    void (*restorer)(void); /* on aarch64 too, though unused there */
    uint64_t mask;
};

static struct kernel_sigaction previous;

static void on_signal(int signal, siginfo_t *info, void *context) {
    int saved_errno = errno;
    if (info->si_code == SI_QUEUE && info->si_pid == getpid()) {
        nono_sys_on_stop_signal((uintptr_t)info->si_value.sival_ptr);
    } else if (previous.to.disposition > (uintptr_t)SIG_IGN && (previous.flags & SA_SIGINFO) != 0) {
        previous.to.handler(signal, info, context);
    }
    errno = saved_errno;
}

#if defined(__x86_64__)
/* x86-64 has no return from a handler in the kernel's own pages. */
void nono_sys_return_from_signal(void) __attribute__((visibility("hidden")));
__asm__(".text\n.hidden nono_sys_return_from_signal\n.type nono_sys_return_from_signal, @function\n"
        "nono_sys_return_from_signal:\n\tmov $15, %eax\n\tsyscall\n\thlt\n"
        ".size nono_sys_return_from_signal, .-nono_sys_return_from_signal\n");
#define SA_RESTORER_FLAG 0x04000000UL
#endif

int nono_sys_take_stop_signal(void) {
    struct kernel_sigaction ours = {
        .to.handler = on_signal, .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK, .mask = ~UINT64_C(0)};
#if defined(__x86_64__)
    ours.flags |= SA_RESTORER_FLAG;
    ours.restorer = nono_sys_return_from_signal;
#endif
    struct kernel_sigaction current;
    if (syscall(SYS_rt_sigaction, STOP_SIGNAL, NULL, &current, sizeof current.mask) != 0) {
        return errno;
    }
    if (current.to.handler == on_signal) {
        return 0;
    }
    /* Before our handler is there, which passes on to it: a setuid() may be under way. */
    previous = current;
    return syscall(SYS_rt_sigaction, STOP_SIGNAL, &ours, NULL, sizeof ours.mask) != 0 ? errno : 0;
}

void nono_sys_give_stop_signal_back(void) {
    syscall(SYS_rt_sigaction, STOP_SIGNAL, &previous, NULL, sizeof previous.mask);
}

int nono_sys_send_stop_signal(int thread, uintptr_t value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = STOP_SIGNAL;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)value;
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, STOP_SIGNAL, &info) != 0 ? errno : 0;
}
