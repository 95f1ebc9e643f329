/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls without libc: no errno, no thread-local storage, no lock, no lazy binding. For code that runs in a
 * process which shares the memory of the program, but none of its threads: the keeper and the child it starts
 * (keeper.c, command.c). scripts/check-raw.sh shows that such code calls nothing else. */
#ifndef NONO_RAW_H
#define NONO_RAW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/* Returns what the kernel returns: a result, or -errno. */
static inline long nono_raw6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "system calls of this processor are not known here: add them to nono_raw.h"
#endif
}

#define NONO_RAW_PICK(a, b, c, d, e, f, g, name, ...) name
#define NONO_RAW_1(n) nono_raw6((n), 0, 0, 0, 0, 0, 0)
#define NONO_RAW_2(n, a) nono_raw6((n), (long)(a), 0, 0, 0, 0, 0)
#define NONO_RAW_3(n, a, b) nono_raw6((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define NONO_RAW_4(n, a, b, c) nono_raw6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define NONO_RAW_5(n, a, b, c, d) nono_raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define NONO_RAW_6(n, a, b, c, d, e) nono_raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define NONO_RAW_7(n, a, b, c, d, e, f) nono_raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* nono_raw(SYS_name, arguments...) */
#define nono_raw(...)                                                                                                  \
    NONO_RAW_PICK(__VA_ARGS__, NONO_RAW_7, NONO_RAW_6, NONO_RAW_5, NONO_RAW_4, NONO_RAW_3, NONO_RAW_2, NONO_RAW_1, )   \
    (__VA_ARGS__)

/* clone(2) with a stack of its own for the child, which runs body(argument) and ends with what that returns. *word is
 * what the flags use it for: CLONE_PIDFD stores a descriptor there. Returns the child, or -errno. */
long nono_raw_clone(unsigned long flags, void *stack_end, int *word, int (*body)(void *), void *argument)
    __attribute__((visibility("hidden")));

/* nono_sys_drop_capabilities() without libc, and without the bounding set, from which nothing is gained under
 * no_new_privs (capabilities.c). */
int nono_raw_drop_capabilities(uint64_t dropped) __attribute__((visibility("hidden")));

#endif
