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
    /* A child that shares no memory with the keeper tells by this block what failed. */
    block = mmap(NULL, size <= KEPT_SIZE ? KEPT_SIZE : size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

void nono_block_discard(struct nono_sys_process *process) {
    size_t size = process->size;
    bool is_kept = false;
    if (size <= KEPT_SIZE && process->caller == getpid() && pthread_mutex_trylock(&kept.lock) == 0) {
        if (kept.owner != process->caller) {
            kept.owner = process->caller;
            kept.count = 0;
        }
        if (kept.count < KEPT_BLOCKS) {
            kept.blocks[kept.count++] = process;
            is_kept = true;
        }
        pthread_mutex_unlock(&kept.lock);
    }
    if (!is_kept) {
        munmap(process, size <= KEPT_SIZE ? KEPT_SIZE : size);
    }
}

static size_t size_of(const struct nono_sys_launch *launch) {
    size_t lists = count_strings(launch->arguments, launch->arguments_size) +
                   count_strings(launch->environment, launch->environment_size) + 2;
    size_t texts = launch->arguments_size + launch->environment_size + strlen(launch->program) + 1 +
                   (launch->directory == NULL ? 0 : strlen(launch->directory) + 1);
    return sizeof(struct nono_sys_process) + lists * sizeof(char *) + texts + 8 * 16 + NONO_KEEPER_STACK;
}

bool nono_block_fits(const struct nono_sys_launch *launch, size_t size) {
    return size_of(launch) <= size;
}

struct nono_sys_process *nono_block_fill(void *block, const struct nono_sys_launch *launch) {
    char *at = block;
    struct nono_sys_process *process = take(&at, sizeof *process);
    memset(process, 0, sizeof *process);
    process->caller = getpid();
    process->size = size_of(launch);
    process->tell = process->started = -1;
    struct nono_sys_command *command = &process->command;
    command->launch = *launch;
    command->restriction = *launch->restriction;
    command->directory = -1;
    command->argv = take_list(&at, launch->arguments, launch->arguments_size);
    command->envp = take_list(&at, launch->environment, launch->environment_size);
    command->launch.program = take_copy(&at, launch->program, strlen(launch->program) + 1);
    if (launch->directory != NULL) {
        command->launch.directory = take_copy(&at, launch->directory, strlen(launch->directory) + 1);
    }
    pthread_mutex_init(&process->listening, NULL);
    process->stack_end = (char *)take(&at, NONO_KEEPER_STACK) + NONO_KEEPER_STACK;
    return process;
}

struct nono_sys_process *nono_block_make(const struct nono_sys_launch *launch) {
    void *block = take_block(size_of(launch));
    return block == NULL ? NULL : nono_block_fill(block, launch);
}
