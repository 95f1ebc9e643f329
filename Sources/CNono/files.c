/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files of the kernel's, and directories: what control groups are made of, cgroups(7). And who this process is,
 * as far as limits depend on it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nono_launch.h"
#include "nono_sys.h"

ptrdiff_t nono_sys_read_file(const char *path, uint8_t *buffer, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    size_t length = 0;
    ptrdiff_t result = 1;
    while (length < size && result > 0) {
        result = nono_sys_read(fd, buffer + length, size - length);
        length += result > 0 ? (size_t)result : 0;
    }
    close(fd);
    return result < 0 ? result : (ptrdiff_t)length;
}

int nono_sys_write_file(const char *path, const uint8_t *bytes, size_t size) {
    int fd = nono_sys_open_for_writing(path);
    if (fd < 0) {
        return fd;
    }
    ptrdiff_t written = nono_sys_write(fd, bytes, size);
    close(fd);
    return written < 0 ? (int)written : written != (ptrdiff_t)size ? -EIO : 0;
}

int nono_sys_open_for_writing(const char *path) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : nono_sys_raise_descriptor(fd);
}

bool nono_sys_may_write(const char *path) {
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

int nono_sys_make_directory(const char *path) {
    return mkdir(path, 0755) != 0 ? -errno : 0;
}

int nono_sys_remove_directory(const char *path) {
    return rmdir(path) != 0 ? -errno : 0;
}

int nono_sys_process_id(void) {
    return getpid();
}

static bool has_capability(int capability) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> capability & 1) != 0;
}

bool nono_sys_is_exempt_from_process_limit(void) {
    return getuid() == 0 || has_capability(CAP_SYS_RESOURCE);
}

bool nono_sys_may_change_user(void) {
    return has_capability(CAP_SETUID);
}

bool nono_sys_may_end_any_user(void) {
    return has_capability(CAP_KILL);
}
