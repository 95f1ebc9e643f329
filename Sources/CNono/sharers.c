/* SPDX-License-Identifier: Apache-2.0
 *
 * How many keepers and guards there are: processes that share the program's memory, so that whoever writes to that
 * decides what they do. A restriction of the program must not leave one of them as it is (restrict.c). */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "nono_keeper.h"
#include "nono_sys.h"

static struct {
    atomic_int owner;
    atomic_int count;
} sharers;

void nono_sharers_add(int count) {
    atomic_store(&sharers.owner, getpid());
    atomic_fetch_add(&sharers.count, count);
}

int nono_sys_sharers(void) {
    /* A child made without libc has its parent's number, and memory of its own. */
    return atomic_load(&sharers.owner) == getpid() ? atomic_load(&sharers.count) : 0;
}

static void forget(void) {
    atomic_store(&sharers.count, 0);
}

__attribute__((constructor)) static void forget_in_forked_children(void) {
    (void)pthread_atfork(NULL, NULL, forget);
}
