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

/* Everything that the keeper and its child need, in one block: it lives until the keeper has ended. */
static struct nono_sys_process *lay_out(const struct nono_sys_launch *launch) {
    size_t lists = count_strings(launch->arguments, launch->arguments_size) +
                   count_strings(launch->environment, launch->environment_size) + 2;
    size_t texts = launch->arguments_size + launch->environment_size + strlen(launch->program) + 1 +
                   (launch->directory == NULL ? 0 : strlen(launch->directory) + 1);
    size_t size = sizeof(struct nono_sys_process) + lists * sizeof(char *) + texts + 8 * 16 + NONO_KEEPER_STACK;
    /* A child that shares no memory with the keeper tells by this block what failed. */
    char *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
        return NULL;
    }
    char *at = block;
    struct nono_sys_process *process = take(&at, sizeof *process);
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

static void discard(struct nono_sys_process *process) {
    munmap(process, process->size);
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

int nono_sys_launch(const struct nono_sys_launch *launch, struct nono_sys_process **out) {
    struct nono_sys_process *process = lay_out(launch);
    if (process == NULL) {
        return -ENOMEM;
    }
    process->caller = getpid();
    int failure = nono_sys_pipe(&process->news, &process->tell);
    if (failure != 0) {
        discard(process);
        return failure;
    }
    failure = nono_sys_set_nonblocking(process->news);
    failure = failure != 0 ? failure : nono_sys_pipe(&process->hear, &process->orders);
    if (failure == 0) {
        long keeper = start_keeper(process);
        failure = keeper < 0 ? (int)keeper : 0;
        close(process->hear);
        if (failure != 0) {
            close(process->orders);
        }
    }
    close(process->tell);
    if (failure != 0) {
        close(process->news);
        discard(process);
        return failure;
    }
    *out = process;
    return 0;
}

/* Reads what the keeper has told so far. */
static void hear_news(struct nono_sys_process *process) {
    uint8_t news;
    pthread_mutex_lock(&process->listening);
    while (!process->has_ended) {
        ptrdiff_t length = nono_sys_read(process->news, &news, 1);
        if (length == -EAGAIN) {
            break;
        }
        process->has_started = true;
        if (length == 1 && news == NONO_KEEPER_STARTED) {
            continue;
        }
        if (length != 1) {
            process->cause = NONO_SYS_CAUSE_LOST;
            process->status = SIGKILL; /* The command goes with its keeper, PR_SET_PDEATHSIG(2const). */
            process->leaves_survivors = true;
        }
        /* The keeper has nothing left to do but to end. */
        while (waitid(P_PIDFD, (id_t)process->keeper, NULL, WEXITED | __WALL) != 0 && errno == EINTR) {
        }
        process->has_ended = true;
    }
    pthread_mutex_unlock(&process->listening);
}

static void wait_for(struct nono_sys_process *process, const bool *news) {
    struct nono_sys_poll entry = {.fd = process->news};
    hear_news(process);
    while (!*news) {
        (void)nono_sys_poll(&entry, 1, -1);
        hear_news(process);
    }
}

void nono_sys_process_wait_for_start(struct nono_sys_process *process) {
    wait_for(process, &process->has_started);
}

int nono_sys_process_descriptor(const struct nono_sys_process *process) {
    return process->news;
}

void nono_sys_process_outcome(struct nono_sys_process *process, struct nono_sys_outcome_of_process *out) {
    hear_news(process);
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
        wait_for(process, &process->has_ended);
    }
    close(process->news);
    close(process->orders);
    close(process->keeper);
    discard(process);
}
