/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools: the slots (slot.c) of each prepared sandbox, handing them out, and what becomes of them when the program forks
 * or restricts itself.
 *
 * A slot costs two processes and as much time as entering the sandbox and copying the program's page tables, so the
 * first command of a pool runs without one. A command that finds no slot, or does not fit into one, runs without one
 * too. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "nono_keeper.h"
#include "nono_sys.h"

enum { MOST_SLOTS = 8 };

struct nono_sys_pool {
    pthread_mutex_t lock;
    struct nono_sys_restriction restriction;
    int scope;
    int owner; /* a forked child has copies of slots that are not its own */
    bool has_slots;
    bool was_forked;  /* another process may have the same ruleset */
    bool is_given_up; /* it is gone from here */
    bool was_used;
    int slots;
    struct nono_sys_slot *free;
    struct nono_sys_slot *all;
    struct nono_sys_pool *next; /* of all pools, newest first */
};

static struct nono_sys_pool *pools;

struct nono_sys_pool *nono_sys_pool_new(const struct nono_sys_restriction *restriction, int scope, bool has_slots) {
    struct nono_sys_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        abort();
    }
    pthread_mutex_init(&pool->lock, NULL);
    pool->restriction = *restriction;
    pool->scope = scope;
    pool->owner = getpid();
    pool->has_slots = has_slots;
    pool->next = pools;
    pools = pool;
    return pool;
}

/* With the registry locked. */
static void unlink_slot(struct nono_sys_pool *pool, const struct nono_sys_slot *slot) {
    struct nono_sys_slot **link = &pool->all;
    while (*link != slot) {
        link = &(*link)->sibling;
    }
    *link = slot->sibling;
}

/* NULL if it cannot be made: a command without a slot tells why. No fork of the program meanwhile: while the template
 * is made, a child would have what is between the two. */
static struct nono_sys_slot *make(struct nono_sys_pool *pool) {
    struct nono_library library;
    if (!nono_slot_find_library(&library)) {
        return NULL;
    }
    nono_registry_lock();
    struct nono_sys_slot *slot = nono_slot_make(&pool->restriction, pool->scope, &library);
    if (slot != NULL) {
        slot->sibling = pool->all;
        pool->all = slot;
    }
    nono_registry_unlock();
    return slot;
}

struct nono_sys_slot *nono_slot_take(struct nono_sys_pool *pool) {
    struct nono_sys_slot *slot = NULL;
    if (pool == NULL || !pool->has_slots || pool->is_given_up || pool->owner != getpid()) {
        return NULL;
    }
    pthread_mutex_lock(&pool->lock);
    bool makes_one = pool->was_used && pool->free == NULL && pool->slots < MOST_SLOTS;
    if (pool->free != NULL) {
        slot = pool->free;
        pool->free = slot->next;
    }
    pool->was_used = true;
    pool->slots += makes_one;
    pthread_mutex_unlock(&pool->lock);
    if (makes_one) {
        slot = make(pool);
        if (slot == NULL) {
            nono_slot_give_back(pool, NULL);
        }
    }
    return slot;
}

void nono_slot_give_back(struct nono_sys_pool *pool, struct nono_sys_slot *slot) {
    bool is_gone = slot == NULL || slot->is_broken || !nono_slot_take_news_of_end(slot);
    pthread_mutex_lock(&pool->lock);
    if (is_gone) {
        pool->slots--;
    } else {
        slot->next = pool->free;
        pool->free = slot;
    }
    pthread_mutex_unlock(&pool->lock);
    if (slot != NULL && is_gone) {
        nono_slot_break(slot);
        nono_registry_lock();
        unlink_slot(pool, slot);
        nono_registry_unlock();
        nono_slot_discard(slot);
    }
}

/* Takes out of a pool what is not in use, with the registry locked. */
static struct nono_sys_slot *take_idle(struct nono_sys_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct nono_sys_slot *slots = pool->free;
    pool->free = NULL;
    pool->was_used = false;
    for (const struct nono_sys_slot *slot = slots; slot != NULL; slot = slot->next) {
        unlink_slot(pool, slot);
        pool->slots--;
    }
    pthread_mutex_unlock(&pool->lock);
    return slots;
}

static void end_idle(struct nono_sys_slot *slot) {
    while (slot != NULL) {
        struct nono_sys_slot *next = slot->next;
        nono_slot_break(slot);
        nono_slot_discard(slot);
        slot = next;
    }
}

void nono_sys_pool_free(struct nono_sys_pool *pool) {
    bool is_ours = pool->owner == getpid();
    nono_registry_lock();
    struct nono_sys_pool **link = &pools;
    while (*link != pool) {
        link = &(*link)->next;
    }
    *link = pool->next;
    struct nono_sys_slot *idle = is_ours ? take_idle(pool) : NULL;
    nono_registry_unlock();
    end_idle(idle);
    /* In a forked child: those of its parent, of which there is nothing but a copy of the memory. */
    while (pool->all != NULL) {
        struct nono_sys_slot *slot = pool->all;
        pool->all = slot->sibling;
        nono_slot_discard(slot);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void nono_sys_end_idle_slots(void) {
    struct nono_sys_slot *idle = NULL;
    nono_registry_lock();
    for (struct nono_sys_pool *pool = pools; pool != NULL; pool = pool->next) {
        struct nono_sys_slot *slot = pool->owner == getpid() ? take_idle(pool) : NULL;
        while (slot != NULL) {
            struct nono_sys_slot *next = slot->next;
            slot->next = idle;
            idle = slot;
            slot = next;
        }
    }
    nono_registry_unlock();
    end_idle(idle);
}

void nono_pools_forget(void) {
    for (struct nono_sys_pool *pool = pools; pool != NULL; pool = pool->next) {
        for (struct nono_sys_slot *slot = pool->all; slot != NULL && pool->owner != getpid(); slot = slot->sibling) {
            nono_close_and_forget(&slot->guard);
            nono_close_and_forget(&slot->socket);
            nono_close_and_forget(&slot->alarm);
        }
    }
}

void nono_pools_note_fork(void) {
    for (struct nono_sys_pool *pool = pools; pool != NULL; pool = pool->next) {
        pool->was_forked = true;
    }
}

/* Puts something that is no ruleset in the place of those that another process has too. */
static int give_up_rulesets(void) {
    int nothing = -1;
    int failure = 0;
    for (struct nono_sys_pool *pool = pools; pool != NULL && failure == 0; pool = pool->next) {
        if ((pool->owner == getpid() && !pool->was_forked) || pool->is_given_up) {
            continue;
        }
        nothing = nothing < 0 ? eventfd(0, EFD_CLOEXEC) : nothing;
        if (nothing < 0 || dup3(nothing, pool->restriction.ruleset, O_CLOEXEC) < 0 ||
            (pool->scope >= 0 && dup3(nothing, pool->scope, O_CLOEXEC) < 0)) {
            failure = -errno;
        }
        pool->is_given_up = failure == 0;
    }
    nono_close_if_open(nothing);
    return failure;
}

int nono_sys_leave_others(void) {
    nono_registry_lock();
    nono_sys_forget_parent();
    int failure = give_up_rulesets();
    nono_registry_unlock();
    return failure;
}
