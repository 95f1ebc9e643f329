/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls about paths. What macOS does in another way is in path_macos.c. */
#define _GNU_SOURCE
#include "nono_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__

#include <limits.h>
#include <pthread.h>
#include <sys/syscall.h>

/* openat2(2), Linux 5.6. The build host's headers may lack it. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define NONO_RESOLVE_NO_SYMLINKS 0x04

struct nono_open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

/* The same without openat2: component by component. Container runtimes with old seccomp profiles refuse openat2 on
 * kernels that have it. */
static int open_by_components(const char *path) {
    int at = open(*path == '/' ? "/" : ".", O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (at < 0) {
        return -errno;
    }
    while (*path != '\0') {
        char name[NAME_MAX + 1];
        size_t length = strcspn(path, "/");
        bool is_last = path[length] == '\0';
        if (length == 0) {
            path++;
            continue;
        }
        if (length > NAME_MAX) {
            close(at);
            return -ENAMETOOLONG;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        /* Without O_DIRECTORY a link opens as the link itself, which is told apart below. */
        int next = openat(at, name, O_PATH | O_CLOEXEC | O_NOFOLLOW);
        int error = errno;
        close(at);
        if (next < 0) {
            return -error;
        }
        struct stat status;
        if (fstat(next, &status) != 0) {
            error = errno;
            close(next);
            return -error;
        }
        if (S_ISLNK(status.st_mode) || (!is_last && !S_ISDIR(status.st_mode))) {
            close(next);
            return S_ISLNK(status.st_mode) ? -ELOOP : -ENOTDIR;
        }
        at = next;
    }
    return at;
}

int nono_sys_open_object(const char *path) {
    struct nono_open_how how = {.flags = O_PATH | O_CLOEXEC, .mode = 0, .resolve = NONO_RESOLVE_NO_SYMLINKS};
    if (*path == '\0') {
        return -ENOENT;
    }
    long fd;
    do {
        fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    if (fd >= 0) {
        return (int)fd;
    }
    if (errno == ENOSYS || errno == EPERM) {
        /* Of all that the library calls, only these are cancellation points: nothing may be unwound but by itself. */
        int state;
        (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
        int result = strlen(path) >= PATH_MAX ? -ENAMETOOLONG : open_by_components(path);
        (void)pthread_setcancelstate(state, &state);
        return result;
    }
    return -errno;
}

int nono_sys_identify(int fd, struct nono_sys_identity *out) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    out->device = (uint64_t)status.st_dev;
    out->inode = (uint64_t)status.st_ino;
    out->mode = (uint32_t)status.st_mode;
    return 0;
}

int nono_sys_identify_path(const char *path, struct nono_sys_identity *out) {
    int fd = nono_sys_open_object(path);
    if (fd < 0) {
        return fd;
    }
    int result = out == NULL ? 0 : nono_sys_identify(fd, out);
    nono_sys_close(fd);
    return result;
}

void nono_sys_close(int fd) {
    /* close(3) is a cancellation point. */
    syscall(SYS_close, fd);
}

#endif

ptrdiff_t nono_sys_readlink(const char *path, char *buffer, size_t size) {
    ssize_t length = readlink(path, buffer, size);
    return length < 0 ? -errno : length;
}

int nono_sys_check_directory(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) {
        return -errno;
    }
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

ptrdiff_t nono_sys_getcwd(char *buffer, size_t size) {
    if (getcwd(buffer, size) == NULL) {
        /* The buffer holds every path that the kernel takes. */
        return errno == ERANGE ? -ENAMETOOLONG : -errno;
    }
    return (ptrdiff_t)strlen(buffer);
}

bool nono_sys_exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

bool nono_sys_is_program(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}
