/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading programs and libraries, and the directories they are in. None of these is a cancellation point. */
#define _GNU_SOURCE
#include "nono_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int nono_sys_open_to_read(const char *path) {
    /* Not to wait for the other end of a FIFO that has come into the place of a file. */
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : (int)fd;
}

ptrdiff_t nono_sys_read_at(int fd, void *buffer, size_t size, uint64_t offset) {
    size_t length = 0;
    while (length < size) {
        long count = syscall(SYS_pread64, fd, (char *)buffer + length, size - length, (off_t)(offset + length));
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
    long count = syscall(SYS_getdents64, fd, buffer, size);
    return count < 0 ? -errno : count;
}
