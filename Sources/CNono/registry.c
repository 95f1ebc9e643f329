/* SPDX-License-Identifier: Apache-2.0
 *
 * What other processes have of this one, and this one of others, because of commands.
 *
 * - Keepers and guards share the program's memory, so that whoever writes to that decides what they do. A restriction
 * of the program must not leave one of them as it is (restrict.c).
 * - A forked child has descriptors of its parent's: the ways to give orders about commands, and rulesets, which are one
 *   object for both. If one of the two restricts itself, it must not get at what the other does by these. */
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

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nono_sys_process *processes;
static atomic_uint forks;

void nono_close_and_forget(int *fd) {
    nono_close_if_open(*fd);
    *fd = -1;
}

void nono_registry_close(int *fd) {
    nono_registry_lock();
    nono_close_and_forget(fd);
    nono_registry_unlock();
}

unsigned nono_sys_forks(void) {
    return atomic_load(&forks);
}

void nono_sys_hold_forks(void) {
    nono_registry_lock();
}

void nono_sys_release_forks(void) {
    nono_registry_unlock();
}

void nono_registry_lock(void) {
    pthread_mutex_lock(&lock);
}

void nono_registry_unlock(void) {
    pthread_mutex_unlock(&lock);
}

static void close_all(struct nono_sys_process *process) {
    int *const fds[] = {&process->keeper, &process->started, &process->orders, &process->hear, &process->tell};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        nono_close_and_forget(fds[i]);
    }
}

void nono_registry_add(struct nono_sys_process *process) {
    nono_registry_lock();
    process->next = processes;
    process->link = &processes;
    if (processes != NULL) {
        processes->link = &process->next;
    }
    processes = process;
    nono_registry_unlock();
}

void nono_registry_remove(struct nono_sys_process *process) {
    nono_registry_lock();
    *process->link = process->next;
    if (process->next != NULL) {
        process->next->link = process->link;
    }
    close_all(process);
    nono_registry_unlock();
}

void nono_sys_forget_parent(void) {
    for (struct nono_sys_process *process = processes; process != NULL; process = process->next) {
        if (process->caller != getpid()) {
            close_all(process);
        }
    }
    nono_pools_forget();
}

static void after_fork_in_parent(void) {
    atomic_fetch_add(&forks, 1);
    nono_pools_note_fork();
    nono_registry_unlock();
}

static void after_fork_in_child(void) {
    atomic_store(&sharers.count, 0);
    nono_sys_forget_parent();
    nono_registry_unlock();
}

__attribute__((constructor)) static void look_after_forks(void) {
    (void)pthread_atfork(nono_registry_lock, after_fork_in_parent, after_fork_in_child);
}
