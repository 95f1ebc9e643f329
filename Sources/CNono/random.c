/* SPDX-License-Identifier: Apache-2.0
 *
 * The Swift runtime seeds its hashing with arc4random_buf, which glibc has since 2.36 only. With this one the library
 * also loads on older systems. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void arc4random_buf(void *buffer, size_t size);

void arc4random_buf(void *buffer, size_t size) {
    unsigned char *at = buffer;
    while (size > 0) {
        /* getrandom(3) is a cancellation point. */
        long count = syscall(SYS_getrandom, at, size, 0);
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            abort();
        }
        at += count;
        size -= (size_t)count;
    }
}
