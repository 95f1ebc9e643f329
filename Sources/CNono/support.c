/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that crosses the C interface, error texts, and the lock of the handles. */
#define _POSIX_C_SOURCE 200809L /* strerror_r as POSIX has it */
#include "nono_sys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nono_sys_strerror(int error, char *buffer, size_t size) {
    if (strerror_r(error, buffer, size) != 0) {
        snprintf(buffer, size, "Unknown error %d", error);
    }
}

char *nono_sys_copy_string(const uint8_t *bytes, size_t length) {
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        abort();
    }
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    copy[length] = '\0';
    return copy;
}

size_t nono_sys_string_length(const char *text) {
    return strlen(text);
}

void nono_sys_free(void *memory) {
    free(memory);
}

uint8_t *nono_sys_resize(uint8_t *memory, size_t size) {
    uint8_t *resized = realloc(memory, size);
    if (resized == NULL) {
        abort();
    }
    return resized;
}

const char *nono_sys_getenv(const char *name) {
    return getenv(name);
}

static pthread_mutex_t handles = PTHREAD_MUTEX_INITIALIZER;

void nono_sys_lock(void) {
    pthread_mutex_lock(&handles);
}

void nono_sys_unlock(void) {
    pthread_mutex_unlock(&handles);
}

__attribute__((constructor)) static void keep_lock_across_fork(void) {
    if (pthread_atfork(nono_sys_lock, nono_sys_unlock, nono_sys_unlock) != 0) {
        abort();
    }
}
