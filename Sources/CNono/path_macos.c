/* SPDX-License-Identifier: Apache-2.0
 *
 * What path.c does with calls of Linux, for macOS. No descriptor is needed there, since Seatbelt knows objects by their
 * paths; and volumes commonly ignore case, but Seatbelt does not. */
#include "nono_sys.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int nono_sys_identify_path(const char *path, struct nono_sys_identity *out) {
    char part[PATH_MAX];
    struct stat status;
    size_t length = strlen(path);
    if (length >= sizeof part) {
        return -ENAMETOOLONG;
    }
    for (size_t end = 1; end <= length; end++) {
        if (path[end - 1] == '/' || (path[end] != '/' && path[end] != '\0')) {
            continue;
        }
        memcpy(part, path, end);
        part[end] = '\0';
        if (lstat(part, &status) != 0) {
            return -errno;
        }
        if (S_ISLNK(status.st_mode)) {
            return -ELOOP;
        }
    }
    if (lstat(path, &status) != 0) {
        return -errno;
    }
    if (out != NULL) {
        out->device = (uint64_t)status.st_dev;
        out->inode = (uint64_t)status.st_ino;
        out->mode = (uint32_t)status.st_mode;
    }
    return 0;
}

ptrdiff_t nono_sys_name_on_disk(const char *path, char *buffer, size_t size) {
    char name[PATH_MAX];
    if (realpath(path, name) == NULL) {
        return -errno;
    }
    size_t length = strlen(name);
    if (length >= size) {
        return -ENAMETOOLONG;
    }
    memcpy(buffer, name, length + 1);
    return (ptrdiff_t)length;
}
