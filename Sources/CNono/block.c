/* SPDX-License-Identifier: Apache-2.0
 *
 * The block of memory that a command is described in: made, filled, kept for the next command, given back. */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nono_keeper.h"

static size_t count_strings(const uint8_t *bytes, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += bytes[i] == '\0';
    }
    return count;
}

/* Carves an aligned piece off the block. */
static void *take(char **at, size_t size) {
    void *piece = *at;
    *at += (size + 15) & ~(size_t)15;
    return piece;
}

static char *take_copy(char **at, const void *bytes, size_t size) {
    char *copy = take(at, size);
    memcpy(copy, bytes, size);
    return copy;
}

static char **take_list(char **at, const uint8_t *bytes, size_t size) {
    char **list = take(at, (count_strings(bytes, size) + 1) * sizeof *list);
    char *text = take_copy(at, bytes, size);
    size_t count = 0;
    for (size_t i = 0; i < size; i += strlen(text + i) + 1) {
        list[count++] = text + i;
    }
    list[count] = NULL;
    return list;
}

/* Blocks that are kept for the next command, since making them anew costs more than all that is written into them. A
 * forked child has them too, and must not use what its parent does. */
enum { KEPT_BLOCKS = 4, KEPT_SIZE = 65536 };
static struct {
    pthread_mutex_t lock;
    int owner;
    int count;
    void *blocks[KEPT_BLOCKS];
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *take_block(size_t size) {
    void *block = NULL;
    /* Held by a thread that a fork has lost, it stays locked. */
    if (size <= KEPT_SIZE && pthread_mutex_trylock(&kept.lock) == 0) {
        if (kept.count > 0 && kept.owner == getpid()) {
            block = kept.blocks[--kept.count];
        }
        pthread_mutex_unlock(&kept.lock);
    }
    if (block != NULL) {
        return block;
    }
    block =
        mmap(NULL, size <= KEPT_SIZE ? KEPT_SIZE : size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

void nono_block_discard(struct nono_sys_task *task) {
    size_t size = task->size;
    bool is_kept = false;
    if (size <= KEPT_SIZE && task->caller == getpid() && pthread_mutex_trylock(&kept.lock) == 0) {
        if (kept.owner != task->caller) {
            kept.owner = task->caller;
            kept.count = 0;
        }
        if (kept.count < KEPT_BLOCKS) {
            kept.blocks[kept.count++] = task;
            is_kept = true;
        }
        pthread_mutex_unlock(&kept.lock);
    }
    if (!is_kept) {
        munmap(task, size <= KEPT_SIZE ? KEPT_SIZE : size);
    }
}

static size_t size_of(const struct nono_sys_launch *launch) {
    size_t lists = count_strings(launch->arguments, launch->arguments_size) +
                   count_strings(launch->environment, launch->environment_size) + 2;
    size_t texts = launch->arguments_size + launch->environment_size + strlen(launch->program) + 1 +
                   (launch->directory == NULL ? 0 : strlen(launch->directory) + 1);
    return sizeof(struct nono_sys_task) + lists * sizeof(char *) + texts + 8 * 16 + NONO_KEEPER_STACK;
}

bool nono_block_fits(const struct nono_sys_launch *launch, size_t size) {
    return size_of(launch) <= size;
}

struct nono_sys_task *nono_block_fill(void *block, const struct nono_sys_launch *launch) {
    char *at = block;
    struct nono_sys_task *task = take(&at, sizeof *task);
    memset(task, 0, sizeof *task);
    task->caller = getpid();
    task->size = size_of(launch);
    task->tell = -1;
    struct nono_sys_command *command = &task->command;
    command->launch = *launch;
    command->restriction = *launch->restriction;
    command->launch.restriction = NULL;
    command->launch.pool = NULL;
    command->directory = command->report = -1;
    command->argv = take_list(&at, launch->arguments, launch->arguments_size);
    command->envp = take_list(&at, launch->environment, launch->environment_size);
    command->launch.program = take_copy(&at, launch->program, strlen(launch->program) + 1);
    if (launch->directory != NULL) {
        command->launch.directory = take_copy(&at, launch->directory, strlen(launch->directory) + 1);
    }
    return task;
}

struct nono_sys_task *nono_block_make(const struct nono_sys_launch *launch, char **stack_end) {
    size_t size = size_of(launch);
    char *block = take_block(size);
    if (block == NULL) {
        return NULL;
    }
    /* At the end of the block, which size_of() has room for. */
    *stack_end = block + (size & ~(size_t)15);
    return nono_block_fill(block, launch);
}
