/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that are not there, and calls that fail: a library for LD_PRELOAD that stands between libnono.so and libc.
 * For tests only. The library itself has no such hook: what enforces a sandbox must not read an environment variable
 * that weakens it.
 *
 *   NONO_TEST_LANDLOCK_ABI=n   A kernel whose Landlock ABI is n. 0: without Landlock (ENOSYS); -1: disabled at boot
 *                              (EOPNOTSUPP). Above 10 it is 10 and reports n.
 *   NONO_TEST_FAIL=name:errno[:nth][,...]
 *                              The nth call of that name fails, or each one. Names: landlock_version,
 *                              landlock_create_ruleset, landlock_add_rule, landlock_restrict_self, no_new_privs,
 *                              seccomp, capget, capset, capbset_drop, rt_sigaction, rt_tgsigqueueinfo, getdents64,
 *                              unshare, clone, openat2, openat, open, openat_to_read, pread64, fstat, readlink,
 *                              getcwd, stat. The errno is a number. Calls are counted from the first one that finds the
 * text there, and anew after one that found none or another. NONO_TEST_TRACE=path       One line for every Landlock
 * call and no_new_privs is appended there.
 *
 * The environment is read at every call, so that a test can set it around the one call it is about. Every caller in the
 * process is meant, not the library alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim.h"

enum { MOST_FAULTS = 8 };

/* The next definition of a function, libc's. memcpy, because C has no conversion of void * to a function. */
static void find(const char *name, void *function, size_t size) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) {
        fprintf(stderr, "faults: no %s\n", name);
        abort();
    }
    memcpy(function, &symbol, size);
}

#define FIND(name, function)                                                                                           \
    do {                                                                                                               \
        if ((function) == NULL) {                                                                                      \
            find((name), &(function), sizeof(function));                                                               \
        }                                                                                                              \
    } while (0)

/* libc's, past every interposition, for what the shim itself does. */
long shim_syscall(long number, long a, long b, long c, long d, long e, long f) {
    static long (*next)(long, ...);
    FIND("syscall", next);
    return next(number, a, b, c, d, e, f);
}

/* The errno with which this call is to fail, or 0. The text may change only while one thread calls. */
int shim_fault(const char *name) {
    static char seen[512];
    static atomic_uint calls[MOST_FAULTS];
    const char *text = getenv("NONO_TEST_FAIL");
    if (text == NULL) {
        seen[0] = '\0';
        return 0;
    }
    if (strncmp(seen, text, sizeof seen) != 0) {
        snprintf(seen, sizeof seen, "%s", text);
        for (size_t i = 0; i < MOST_FAULTS; i++) {
            atomic_store(&calls[i], 0);
        }
    }
    int result = 0;
    for (size_t i = 0; i < MOST_FAULTS && *text != '\0'; i++) {
        char wanted[32];
        int error = 0;
        unsigned nth = 0;
        if (sscanf(text, "%31[^:]:%d:%u", wanted, &error, &nth) < 2) {
            fprintf(stderr, "faults: cannot read NONO_TEST_FAIL=%s\n", text);
            abort();
        }
        if (strcmp(wanted, name) == 0) {
            unsigned call = atomic_fetch_add(&calls[i], 1) + 1;
            if (result == 0 && (nth == 0 || nth == call)) {
                result = error;
            }
        }
        text += strcspn(text, ",");
        text += *text == ',';
    }
    return result;
}

/* Returns the descriptor to append lines to, or -1. It is opened before the call that is told: afterwards the sandbox
 * may forbid it. */
int shim_begin_trace(void) {
    const char *path = getenv("NONO_TEST_TRACE");
    if (path == NULL) {
        return -1;
    }
    static int (*next)(int, const char *, int, ...);
    FIND("openat", next);
    return next(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

void shim_end_trace(int trace, long result, const char *format, ...) {
    int error = errno;
    /* Not on the stack, of which a caller may have little. */
    static _Thread_local char line[4352];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 32, format, arguments);
    va_end(arguments);
    if (trace >= 0) {
        if (result < 0) {
            length += snprintf(line + length, 32, " error=%d\n", error);
        } else {
            length += snprintf(line + length, 32, "\n");
        }
        if (write(trace, line, (size_t)length) != length) {
            abort();
        }
        close(trace);
    }
    errno = error;
}

long shim_refuse(int error) {
    errno = error;
    return -1;
}

void shim_path_of(int fd, char *path, size_t size) {
    static ssize_t (*next)(const char *, char *, size_t);
    FIND("readlink", next);
    int error = errno;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = next(link, path, size - 1);
    path[length < 0 ? 0 : length] = '\0';
    errno = error;
}

long syscall(long number, ...) {
    va_list arguments;
    va_start(arguments, number);
    long a[6];
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    int error = 0;
    switch (number) {
    case SHIM_CREATE_RULESET:
        return shim_create_ruleset((const void *)a[0], (size_t)a[1], (uint32_t)a[2]);
    case SHIM_ADD_RULE:
        return shim_add_rule((int)a[0], (int)a[1], (const void *)a[2], (uint32_t)a[3]);
    case SHIM_RESTRICT_SELF:
        return shim_restrict_self((int)a[0], (uint32_t)a[1]);
    case SHIM_OPENAT2:
        error = shim_fault("openat2");
        break;
    case SYS_seccomp:
        error = shim_fault("seccomp");
        break;
    case SYS_capget:
        error = shim_fault("capget");
        break;
    case SYS_capset:
        error = shim_fault("capset");
        break;
    case SYS_rt_sigaction:
        error = shim_fault("rt_sigaction");
        break;
    case SYS_rt_tgsigqueueinfo:
        error = shim_fault("rt_tgsigqueueinfo");
        break;
    case SYS_getdents64:
        error = shim_fault("getdents64");
        break;
    case SYS_openat:
        error = shim_fault("openat_to_read");
        break;
    case SYS_pread64:
        error = shim_fault("pread64");
        break;
    default:
        break;
    }
    return error != 0 ? shim_refuse(error) : shim_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int prctl(int option, ...) {
    static int (*next)(int, ...);
    FIND("prctl", next);
    va_list arguments;
    va_start(arguments, option);
    unsigned long a[4];
    for (int i = 0; i < 4; i++) {
        a[i] = va_arg(arguments, unsigned long);
    }
    va_end(arguments);
    if (option == PR_CAPBSET_DROP) {
        int failure = shim_fault("capbset_drop");
        return failure != 0 ? (int)shim_refuse(failure) : next(option, a[0], a[1], a[2], a[3]);
    }
    if (option != PR_SET_NO_NEW_PRIVS) {
        return next(option, a[0], a[1], a[2], a[3]);
    }
    int trace = shim_begin_trace();
    int error = shim_fault("no_new_privs");
    int result = error != 0 ? (int)shim_refuse(error) : next(option, a[0], a[1], a[2], a[3]);
    shim_end_trace(trace, result, "no_new_privs");
    return result;
}

int unshare(int flags) {
    static int (*next)(int);
    FIND("unshare", next);
    int error = shim_fault("unshare");
    return error != 0 ? (int)shim_refuse(error) : next(flags);
}

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
    static int (*next)(int (*)(void *), void *, int, void *, ...);
    FIND("clone", next);
    int error = shim_fault("clone");
    return error != 0 ? (int)shim_refuse(error) : next(function, stack, flags, argument);
}

static mode_t mode_argument(int flags, va_list arguments) {
    bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    return has_mode ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
    static int (*next)(const char *, int, ...);
    FIND("open", next);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    int error = shim_fault("open");
    return error != 0 ? (int)shim_refuse(error) : next(path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
    static int (*next)(int, const char *, int, ...);
    FIND("openat", next);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    int error = shim_fault("openat");
    return error != 0 ? (int)shim_refuse(error) : next(at, path, flags, mode);
}

int fstat(int fd, struct stat *out) {
    static int (*next)(int, struct stat *);
    FIND("fstat", next);
    int error = shim_fault("fstat");
    return error != 0 ? (int)shim_refuse(error) : next(fd, out);
}

int stat(const char *restrict path, struct stat *restrict out) {
    static int (*next)(const char *, struct stat *);
    FIND("stat", next);
    int error = shim_fault("stat");
    return error != 0 ? (int)shim_refuse(error) : next(path, out);
}

ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size) {
    static ssize_t (*next)(const char *, char *, size_t);
    FIND("readlink", next);
    int error = shim_fault("readlink");
    return error != 0 ? shim_refuse(error) : next(path, buffer, size);
}

char *getcwd(char *buffer, size_t size) {
    static char *(*next)(char *, size_t);
    FIND("getcwd", next);
    int error = shim_fault("getcwd");
    if (error != 0) {
        errno = error;
        return NULL;
    }
    return next(buffer, size);
}
