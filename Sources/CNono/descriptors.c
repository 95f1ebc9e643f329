/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors of the library: pipes, reading and writing them, waiting for them.
 *
 * They are 3 or higher, so that they stand in nobody's way where 0 to 2 are handed on. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "nono_launch.h"
#include "nono_sys.h"

int nono_sys_duplicate(int fd) {
    int raised = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return raised < 0 ? -errno : raised;
}

int nono_sys_raise_descriptor(int fd) {
    if (fd < 0 || fd >= 3) {
        return fd;
    }
    int raised = nono_sys_duplicate(fd);
    close(fd);
    return raised;
}

int nono_sys_pipe(int *read_end, int *write_end) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return -errno;
    }
    int failure = 0;
    for (int i = 0; i < 2; i++) {
        fds[i] = nono_sys_raise_descriptor(fds[i]);
        failure = fds[i] < 0 ? fds[i] : failure;
    }
    if (failure != 0) {
        nono_sys_close(fds[0]);
        nono_sys_close(fds[1]);
        return failure;
    }
    *read_end = fds[0];
    *write_end = fds[1];
    return 0;
}

int nono_sys_set_nonblocking(int pipe_end) {
    return fcntl(pipe_end, F_SETFL, O_NONBLOCK) != 0 ? -errno : 0;
}

int nono_sys_open_empty(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        return nono_sys_raise_descriptor(fd);
    }
    /* In a sandbox that does not grant it: a pipe that nobody writes to. */
    int write_end;
    int failure = nono_sys_pipe(&fd, &write_end);
    if (failure != 0) {
        return failure;
    }
    close(write_end);
    return fd;
}

int nono_sys_open_sink(void) {
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : nono_sys_raise_descriptor(fd);
}

bool nono_sys_is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

ptrdiff_t nono_sys_read(int fd, uint8_t *buffer, size_t size) {
    ssize_t length;
    do {
        length = read(fd, buffer, size);
    } while (length < 0 && errno == EINTR);
    return length < 0 ? -errno : length;
}

ptrdiff_t nono_sys_readable(int fd) {
    int size = 0;
    return fd >= 0 && ioctl(fd, FIONREAD, &size) == 0 ? size : 0;
}

ptrdiff_t nono_sys_write(int fd, const uint8_t *bytes, size_t size) {
    sigset_t pipe_signal, mask, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &mask);
    ssize_t length;
    do {
        length = write(fd, bytes, size);
    } while (length < 0 && errno == EINTR);
    int error = errno;
    if (length < 0 && error == EPIPE && !was_pending) {
        const struct timespec at_once = {0, 0};
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return length < 0 ? -error : length;
}

int nono_sys_poll(struct nono_sys_poll *entries, size_t count, int64_t timeout) {
    struct pollfd fds[8];
    if (count > sizeof fds / sizeof fds[0]) {
        return -EINVAL;
    }
    for (size_t i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = entries[i].fd, .events = entries[i].for_writing ? POLLOUT : POLLIN};
    }
    const struct timespec rest = {.tv_sec = timeout / 1000000000, .tv_nsec = timeout % 1000000000};
    int ready = ppoll(fds, count, timeout < 0 ? NULL : &rest, NULL);
    if (ready < 0) {
        int error = errno;
        if (error == EINVAL) {
            /* More than RLIMIT_NOFILE. Who comes back at once is not to spin. */
            const struct timespec moment = {.tv_nsec = 1000000};
            nanosleep(&moment, NULL);
        }
        return -error;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].is_ready = fds[i].revents != 0;
    }
    return ready;
}
