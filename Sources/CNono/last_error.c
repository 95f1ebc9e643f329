/* SPDX-License-Identifier: Apache-2.0
 *
 * The calling thread's last error. Thread-local storage and its release at the end of a thread need C. */
#include "nono_sys.h"

#include <pthread.h>
#include <stdlib.h>

/* Initial-exec: a few bytes that need no help of the dynamic loader, and so no dependency on it. */
static _Thread_local struct nono_sys_last_error last_error __attribute__((tls_model("initial-exec")));
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void release(void *pointer) {
    struct nono_sys_last_error *error = pointer;
    free(error->message);
    free(error->path);
    free(error->remediation);
    *error = (struct nono_sys_last_error){.is_set = false};
}

static void create_key(void) {
    has_key = pthread_key_create(&key, release) == 0;
}

void nono_sys_set_last_error(const struct nono_sys_last_error *error) {
    release(&last_error);
    last_error = *error;
    pthread_once(&once, create_key);
    if (has_key) {
        /* Makes `release` run when the thread ends; without it the strings leak then, which is all. */
        (void)pthread_setspecific(key, &last_error);
    }
}

void nono_sys_clear_last_error(void) {
    release(&last_error);
}

const struct nono_sys_last_error *nono_sys_get_last_error(void) {
    return &last_error;
}
