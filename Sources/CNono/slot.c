/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's side of slots: making them, handing them out, speaking with their templates (template.c).
 *
 * A slot costs two processes and as much time as entering the sandbox and copying the program's page tables, so the
 * first command of a pool runs without one. A command that finds no slot, or does not fit into one, runs without one
 * too. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
    if (pool != NULL) {
        pthread_mutex_init(&pool->lock, NULL);
        pool->restriction = *restriction;
        pool->scope = scope;
        pool->owner = getpid();
        pool->has_slots = has_slots;
        nono_registry_lock();
        pool->next = pools;
        pools = pool;
        nono_registry_unlock();
    }
    return pool;
}

/* Where the library is loaded: code and constants that the template goes on using. */
static int find_library(struct dl_phdr_info *info, size_t size, void *argument) {
    struct nono_sys_slot *slot = argument;
    uintptr_t start = UINTPTR_MAX, end = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            uintptr_t to = from + info->dlpi_phdr[i].p_memsz;
            start = from < start ? from : start;
            end = to > end ? to : end;
        }
    }
    if ((uintptr_t)&find_library < start || (uintptr_t)&find_library >= end) {
        return 0;
    }
    /* Not a page more: the kernel's own pages, which cannot be cut, may be next to it. */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    slot->library_start = start & ~(page - 1);
    slot->library_end = (end + page - 1) & ~(page - 1);
    return 1;
}

static char *start_of(const struct nono_sys_slot *slot) {
    return slot->guard_stack_end - NONO_KEEPER_STACK;
}

static void discard(struct nono_sys_slot *slot) {
    nono_close_if_open(slot->guard);
    nono_close_if_open(slot->socket);
    nono_close_if_open(slot->alarm);
    /* A forked child does not have the block: there is nothing, or something else, in its place. */
    munmap(start_of(slot), slot->caller == getpid() ? slot->size : (size_t)((char *)slot->block - start_of(slot)));
}

static ssize_t receive(const struct nono_sys_slot *slot, char *news, int flags) {
    ssize_t length;
    do {
        length = recv(slot->socket, news, 1, MSG_DONTWAIT | flags);
    } while (length < 0 && errno == EINTR);
    return length;
}

/* The guard's stack, this, the template's stack, and the block, which alone is shared with the template; the rest it
 * has a copy of, from itself on. */
static struct nono_sys_slot *lay_out(const struct nono_sys_pool *pool) {
    const size_t head = 4096;
    size_t size = 2 * NONO_KEEPER_STACK + head + NONO_SLOT_BLOCK;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    char *block = memory + size - NONO_SLOT_BLOCK;
    if (mmap(block, NONO_SLOT_BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
            MAP_FAILED ||
        madvise(block, NONO_SLOT_BLOCK, MADV_DONTFORK) != 0) {
        munmap(memory, size);
        return NULL;
    }
    struct nono_sys_slot *slot = (void *)(memory + NONO_KEEPER_STACK);
    *slot = (struct nono_sys_slot){
        .restriction = pool->restriction,
        .scope = pool->scope,
        .caller = pool->owner,
        .template_end = -1,
        .hear = -1,
        .guard = -1,
        .socket = -1,
        .alarm = -1,
        .block = block,
        .guard_stack_end = (char *)slot,
        .template_stack_end = block,
        .size = size,
    };
    return slot;
}

static int open_socket(struct nono_sys_slot *slot) {
    const int yes = 1;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return -errno;
    }
    slot->socket = nono_sys_raise_descriptor(ends[0]);
    slot->template_end = nono_sys_raise_descriptor(ends[1]);
    if (slot->socket < 0 || slot->template_end < 0) {
        return -EMFILE;
    }
    /* Who sends is told with each message. */
    return setsockopt(slot->template_end, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 ? -errno : 0;
}

/* With the registry locked. */
static void unlink_slot(struct nono_sys_pool *pool, const struct nono_sys_slot *slot) {
    struct nono_sys_slot **link = &pool->all;
    while (*link != slot) {
        link = &(*link)->sibling;
    }
    *link = slot->sibling;
}

static void end_slot(struct nono_sys_pool *pool, struct nono_sys_slot *slot) {
    nono_slot_break(slot);
    nono_registry_lock();
    unlink_slot(pool, slot);
    nono_registry_unlock();
    discard(slot);
}

/* NULL if it cannot be made: a command without a slot tells why. */
static struct nono_sys_slot *make(struct nono_sys_pool *pool) {
    struct nono_sys_slot *slot = lay_out(pool);
    if (slot == NULL) {
        return NULL;
    }
    bool works = dl_iterate_phdr(find_library, slot) == 1 && open_socket(slot) == 0 &&
                 nono_sys_pipe(&slot->hear, &slot->alarm) == 0;
    /* No other fork meanwhile: while the template is made, the block is there for a child to have. */
    nono_registry_lock();
    slot->sibling = pool->all;
    pool->all = slot;
    if (works && nono_keeper_start(slot->guard_stack_end, &slot->guard, nono_guard_run, slot) < 0) {
        slot->guard = -1;
        works = false;
    }
    nono_close_if_open(slot->template_end);
    nono_close_if_open(slot->hear);
    struct nono_sys_poll ready = {.fd = slot->socket};
    while (works && nono_sys_poll(&ready, 1, -1) < 0) {
    }
    nono_registry_unlock();
    if (!works || nono_slot_hear(slot) != NONO_TEMPLATE_READY) {
        end_slot(pool, slot);
        return NULL;
    }
    return slot;
}

struct nono_sys_slot *nono_slot_take(struct nono_sys_pool *pool) {
    struct nono_sys_slot *slot = NULL;
    if (pool == NULL || !pool->has_slots || pool->owner != getpid()) {
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
    bool is_gone = slot == NULL || slot->is_broken;
    char news;
    if (!is_gone && receive(slot, &news, 0) != 1) {
        nono_slot_break(slot);
        is_gone = true;
    }
    pthread_mutex_lock(&pool->lock);
    if (is_gone) {
        pool->slots--;
    } else {
        slot->next = pool->free;
        pool->free = slot;
    }
    pthread_mutex_unlock(&pool->lock);
    if (slot != NULL && is_gone) {
        end_slot(pool, slot);
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
        discard(slot);
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
        discard(slot);
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

int nono_slot_start(struct nono_sys_slot *slot, const struct nono_sys_task *task) {
    const struct nono_sys_launch *launch = &task->command.launch;
    const int candidates[NONO_TEMPLATE_FDS] = {launch->stdio[0],        launch->stdio[1],  launch->stdio[2], task->hear,
                                               task->command.directory, launch->groups[0], launch->groups[1]};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof candidates)] = {0};
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
    struct cmsghdr *header = (void *)control;
    int count = 0;
    for (int i = 0; i < NONO_TEMPLATE_FDS; i++) {
        if (candidates[i] >= 0) {
            memcpy(CMSG_DATA(header) + sizeof(int) * (size_t)count++, &candidates[i], sizeof(int));
        }
    }
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
    ssize_t sent;
    do {
        sent = sendmsg(slot->socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* The news of the end stays where it is until the slot is given back: the descriptor goes on to poll as readable,
 * whoever has looked. */
int nono_slot_hear(struct nono_sys_slot *slot) {
    char news;
    ssize_t length = receive(slot, &news, MSG_PEEK);
    if (length == 1 && news != NONO_TEMPLATE_ENDED) {
        length = receive(slot, &news, 0);
    }
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;
    }
    return length == 1 ? news : -1;
}

void nono_slot_break(struct nono_sys_slot *slot) {
    if (slot->is_broken) {
        return;
    }
    slot->is_broken = true;
    if (slot->alarm >= 0) {
        /* Its closing alone says nothing as long as a forked child has it too. */
        (void)nono_sys_write(slot->alarm, (const uint8_t *)"", 1);
    }
    nono_close_and_forget(&slot->alarm);
    while (slot->guard >= 0 && waitid(P_PIDFD, (id_t)slot->guard, NULL, WEXITED | __WALL) != 0 && errno == EINTR) {
    }
    if (slot->guard >= 0) {
        nono_sharers_add(-1);
    }
}
