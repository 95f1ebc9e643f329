/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's side of running a command: laying out what the keeper needs, starting it, hearing from it. */
#define _GNU_SOURCE
#include "nono_launch.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nono_keeper.h"
#include "nono_raw.h"
#include "nono_sys.h"

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

static void discard(struct nono_sys_process *process) {
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

/* Everything that the keeper and its child need, in one block: it lives until the keeper has ended. */
static struct nono_sys_process *lay_out(const struct nono_sys_launch *launch) {
    size_t lists = count_strings(launch->arguments, launch->arguments_size) +
                   count_strings(launch->environment, launch->environment_size) + 2;
    size_t texts = launch->arguments_size + launch->environment_size + strlen(launch->program) + 1 +
                   (launch->directory == NULL ? 0 : strlen(launch->directory) + 1);
    size_t size = sizeof(struct nono_sys_process) + lists * sizeof(char *) + texts + 8 * 16 + NONO_KEEPER_STACK;
    char *block = take_block(size);
    if (block == NULL) {
        return NULL;
    }
    char *at = block;
    struct nono_sys_process *process = take(&at, sizeof *process);
    memset(process, 0, sizeof *process);
    process->caller = getpid();
    process->size = size;
    struct nono_sys_command *command = &process->command;
    command->launch = *launch;
    command->restriction = *launch->restriction;
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

/* Starts the keeper with all signals blocked: no handler of the program may run in it. */
static long start_keeper(struct nono_sys_process *process) {
    const uint64_t all = ~UINT64_C(0);
    uint64_t mask;
    nono_raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof all);
    /* Without an exit signal: nobody who waits for children of the program gets to see the keeper. */
    long keeper =
        nono_raw_clone(CLONE_VM | CLONE_PIDFD, process->stack_end, &process->keeper, nono_keeper_run, process);
    nono_raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    return keeper;
}

/* Pipes for orders, and for the news of the start if that is asked for. Returns 0 or -errno. */
static int open_pipes(struct nono_sys_process *process) {
    process->tell = process->started = -1;
    int failure = nono_sys_pipe(&process->hear, &process->orders);
    if (failure == 0 && process->command.launch.reports_start) {
        failure = nono_sys_pipe(&process->started, &process->tell);
        if (failure != 0) {
            close(process->hear);
            close(process->orders);
        }
    }
    return failure;
}

static void close_if_open(int fd) {
    if (fd >= 0) {
        close(fd);
    }
}

static void close_pipes(const struct nono_sys_process *process) {
    close(process->orders);
    close_if_open(process->started);
}

int nono_sys_launch(const struct nono_sys_launch *launch, struct nono_sys_process **out) {
    struct nono_sys_process *process = lay_out(launch);
    if (process == NULL) {
        return -ENOMEM;
    }
    int failure = open_pipes(process);
    if (failure != 0) {
        discard(process);
        return failure;
    }
    long keeper = start_keeper(process);
    close(process->hear);
    close_if_open(process->tell);
    if (keeper < 0) {
        close_pipes(process);
        discard(process);
        return (int)keeper;
    }
    *out = process;
    return 0;
}

/* Notices the keeper's end, if it has come. */
static void look(struct nono_sys_process *process) {
    siginfo_t ended;
    pthread_mutex_lock(&process->listening);
    ended.si_pid = 0;
    if (!process->has_ended && waitid(P_PIDFD, (id_t)process->keeper, &ended, WEXITED | WNOHANG | __WALL) == 0 &&
        ended.si_pid != 0) {
        if (!process->is_done) {
            process->cause = NONO_SYS_CAUSE_LOST;
            process->leaves_survivors = true;
            process->status = SIGKILL; /* The command goes with its keeper, PR_SET_PDEATHSIG(2const). */
        }
        process->has_ended = true;
    }
    pthread_mutex_unlock(&process->listening);
}

static void wait_for_end(struct nono_sys_process *process) {
    struct nono_sys_poll entry = {.fd = process->keeper};
    for (look(process); !process->has_ended; look(process)) {
        (void)nono_sys_poll(&entry, 1, -1);
    }
}

void nono_sys_process_wait_for_start(struct nono_sys_process *process) {
    struct nono_sys_poll entries[] = {{.fd = process->started}, {.fd = process->keeper}};
    while (nono_sys_poll(entries, 2, -1) < 0) {
    }
    /* What has not started ends at once. */
    if (process->stage != NONO_SYS_LAUNCH_DONE) {
        wait_for_end(process);
    }
}

int nono_sys_process_descriptor(const struct nono_sys_process *process) {
    return process->keeper;
}

void nono_sys_process_outcome(struct nono_sys_process *process, struct nono_sys_outcome_of_process *out) {
    look(process);
    *out = (struct nono_sys_outcome_of_process){
        .has_ended = process->has_ended,
        .pid = process->pid,
        .stage = process->stage,
        .detail = process->command.detail,
        .error = process->error,
        .status = process->status,
        .cause = process->cause,
        .leaves_survivors = process->leaves_survivors,
    };
}

static int order(const struct nono_sys_process *process, uint8_t what) {
    ptrdiff_t written = nono_sys_write(process->orders, &what, 1);
    /* A keeper that has ended has nobody to signal. */
    return written == 1 ? 0 : written == -EPIPE ? -ESRCH : (int)written;
}

int nono_sys_process_signal(struct nono_sys_process *process, int signal) {
    return process->has_ended ? -ESRCH : order(process, (uint8_t)signal);
}

void nono_sys_process_end(struct nono_sys_process *process) {
    if (!process->has_ended) {
        (void)order(process, NONO_KEEPER_END);
    }
}

void nono_sys_process_free(struct nono_sys_process *process) {
    if (getpid() == process->caller) {
        nono_sys_process_end(process);
        wait_for_end(process);
    }
    close_pipes(process);
    close(process->keeper);
    discard(process);
}
