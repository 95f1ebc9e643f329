/* SPDX-License-Identifier: Apache-2.0
 *
 * Which threads the process has, as far as it can be found out while they come and go, and what one of them is.
 *
 * A list of /proc/self/task alone is not to be trusted: the kernel ends or skips in it when a thread ends while it is
 * read, and a /proc of another PID namespace has other numbers in it. What counts is how many threads there are, which
 * stat(2) tells, within a sandbox too. */
#define _GNU_SOURCE
#include "nono_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's PID_MAX_LIMIT. */
#define HIGHEST_THREAD 4194304
/* PF_IO_WORKER and PF_USER_WORKER of the kernel's sched.h, as /proc/PID/stat shows them. */
#define WORKER_FLAGS (0x10UL | 0x4000UL)

static const char tasks[] = "/proc/self/task";

bool nono_sys_is_single_threaded(void) {
    /* Without an effect in a process with one thread, and an error in any other; unshare(2). */
    return unshare(CLONE_THREAD) == 0;
}

uint32_t nono_sys_thread_count(void) {
    struct stat status;
    /* A link for each, and two for the directory. */
    return stat(tasks, &status) == 0 && status.st_nlink > 2 ? (uint32_t)status.st_nlink - 2 : 0;
}

bool nono_sys_thread_exists(int thread) {
    /* EPERM, in a sandbox on a kernel that scopes signals between threads, is a thread too. */
    return syscall(SYS_tgkill, getpid(), thread, 0) == 0 || errno != ESRCH;
}

/* Reads a small file of a thread, terminated. Returns its length, or -1. */
static ssize_t read_thread_file(int thread, const char *name, char *buffer, size_t size) {
    char path[64];
    char digits[12];
    size_t first = sizeof digits - 1;
    digits[first] = '\0';
    for (int rest = thread; rest != 0; rest /= 10) {
        digits[--first] = (char)('0' + rest % 10);
    }
    strcat(strcat(strcat(strcpy(path, tasks), "/"), digits + first), name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t length = read(fd, buffer, size - 1);
    close(fd);
    buffer[length < 0 ? 0 : length] = '\0';
    return length;
}

void nono_sys_thread_name(int thread, char *name, size_t size) {
    ssize_t length = read_thread_file(thread, "/comm", name, size);
    if (length < 0) {
        name[0] = '\0';
    } else if (length > 0 && name[length - 1] == '\n') {
        name[length - 1] = '\0';
    }
}

enum nono_sys_thread_kind nono_sys_thread_kind(int thread) {
    static const char io_worker[] = "(iou-wrk-";
    char line[512];
    if (!nono_sys_thread_exists(thread)) {
        return NONO_SYS_THREAD_GONE;
    }
    if (read_thread_file(thread, "/stat", line, sizeof line) <= 0) {
        return NONO_SYS_THREAD_RUNS;
    }
    const char *name = strchr(line, '(');
    const char *state = strrchr(line, ')');
    if (name == NULL || state == NULL || strlen(state) < 3) {
        return NONO_SYS_THREAD_RUNS;
    }
    state += 2;
    if (*state == 'Z' || *state == 'X') {
        /* The first thread stays listed until the process ends, others until their tracer has seen it. */
        return thread == getpid() ? NONO_SYS_THREAD_INERT : NONO_SYS_THREAD_GONE;
    }
    /* The flags are the sixth number after the state. */
    const char *flags = state + 1;
    for (int i = 0; i < 5 && flags != NULL; i++) {
        flags = strchr(flags + 1, ' ');
    }
    bool is_worker = flags != NULL && (strtoul(flags, NULL, 10) & WORKER_FLAGS) != 0;
    /* An io_uring worker carries out each request with the rights of the thread that made it. Not so the thread that
     * polls a queue (iou-sqp): it has the rights of whoever made the queue, and would keep them. */
    return is_worker && strncmp(name, io_worker, sizeof io_worker - 1) == 0 ? NONO_SYS_THREAD_INERT
                                                                            : NONO_SYS_THREAD_RUNS;
}

struct kernel_dirent {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Visits what the directory lists. *knows_us tells whether we are among them. */
static int visit_listed(int directory, nono_sys_thread_visitor visit, void *argument, bool *knows_us) {
    _Alignas(8) char buffer[4096];
    int self = (int)syscall(SYS_gettid);
    for (;;) {
        long length = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
        if (length <= 0) {
            return length < 0 ? -errno : 0;
        }
        for (long at = 0; at < length;) {
            const struct kernel_dirent *entry = (const void *)(buffer + at);
            at += entry->length;
            int thread = 0;
            for (const char *digit = entry->name; *digit >= '0' && *digit <= '9'; digit++) {
                thread = thread * 10 + (*digit - '0');
            }
            *knows_us |= thread == self;
            int failure = thread != 0 && thread != self ? visit(thread, argument) : 0;
            if (failure != 0) {
                return failure;
            }
        }
    }
}

/* Visits what is found by trying every number, from our own on, since most threads have one a little higher. Ends when
 * as many are found as there are. */
static int visit_tried(nono_sys_thread_visitor visit, void *argument) {
    int self = (int)syscall(SYS_gettid);
    int first = getpid();
    uint32_t count = nono_sys_thread_count();
    uint32_t found = 1;
    for (int i = 0; i < HIGHEST_THREAD && found != count; i++) {
        int thread = (first - 1 + i) % HIGHEST_THREAD + 1;
        if (thread == self || !nono_sys_thread_exists(thread)) {
            continue;
        }
        found++;
        int failure = visit(thread, argument);
        if (failure != 0) {
            return failure;
        }
    }
    return 0;
}

int nono_sys_visit_threads(nono_sys_thread_visitor visit, void *argument) {
    bool knows_us = false;
    int directory = open(tasks, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        int failure = visit_listed(directory, visit, argument, &knows_us);
        close(directory);
        if (failure > 0 || (failure == 0 && knows_us)) {
            return failure;
        }
    }
    return visit_tried(visit, argument);
}
