/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading programs and libraries, and the directories they are in. None of these is a cancellation point. */
#define _GNU_SOURCE
#include "nono_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>

static long open_to_read(const char *path, int flags) {
    return syscall(SYS_openat, AT_FDCWD, path, flags);
}

static long read_at(int fd, void *buffer, size_t size, off_t offset) {
    return syscall(SYS_pread64, fd, buffer, size, offset);
}

static long read_entries(int fd, void *buffer, size_t size) {
    return syscall(SYS_getdents64, fd, buffer, size);
}
#else
static long open_to_read(const char *path, int flags) {
    return open(path, flags);
}

static long read_at(int fd, void *buffer, size_t size, off_t offset) {
    return pread(fd, buffer, size, offset);
}

/* Only what an ELF program needs is looked for in directories. */
static long read_entries(int fd, void *buffer, size_t size) {
    (void)fd, (void)buffer, (void)size;
    errno = ENOTSUP;
    return -1;
}
#endif

int nono_sys_open_to_read(const char *path) {
    /* Not to wait for the other end of a FIFO that has come into the place of a file. */
    long fd = open_to_read(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : (int)fd;
}

ptrdiff_t nono_sys_read_at(int fd, void *buffer, size_t size, uint64_t offset) {
    size_t length = 0;
    while (length < size) {
        long count = read_at(fd, (char *)buffer + length, size - length, (off_t)(offset + length));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return -errno;
        }
        if (count == 0) {
            break;
        }
        length += (size_t)count;
    }
    return (ptrdiff_t)length;
}

ptrdiff_t nono_sys_read_entries(int fd, void *buffer, size_t size) {
    long count = read_entries(fd, buffer, size);
    return count < 0 ? -errno : count;
}
