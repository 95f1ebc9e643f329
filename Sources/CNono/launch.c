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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nono_keeper.h"
#include "nono_raw.h"
#include "nono_sys.h"

long nono_keeper_start(char *stack_end, int *pidfd, int (*life)(void *), void *argument) {
    const uint64_t all = ~UINT64_C(0);
    uint64_t mask;
    nono_sharers_add(1);
    nono_raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof all);
    /* Without an exit signal: nobody who waits for children of the program gets to see it. */
    long keeper = nono_raw_clone(CLONE_VM | CLONE_PIDFD, stack_end, pidfd, life, argument);
    nono_raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    if (keeper < 0) {
        nono_sharers_add(-1);
    }
    return keeper;
}

/* The program's view of a command that is about to be started. NULL without memory. */
static struct nono_sys_process *make(void) {
    struct nono_sys_process *process = calloc(1, sizeof *process);
    if (process != NULL) {
        process->caller = getpid();
        process->keeper = process->started = process->orders = process->hear = process->tell = -1;
        pthread_mutex_init(&process->listening, NULL);
    }
    return process;
}

static void discard(struct nono_sys_process *process) {
    /* A keeper that was killed may have left a child on the block that is not at its exec yet. */
    bool is_free = process->slot == NULL && process->task != NULL && (!process->was_started || process->task->is_done);
    nono_registry_remove(process);
    if (is_free) {
        nono_block_discard(process->task);
    }
    pthread_mutex_destroy(&process->listening);
    free(process);
}

/* Pipes for orders, and for the news of the start if that is asked for. No fork of the program in between. */
static int open_pipes(struct nono_sys_process *process, bool reports_start) {
    nono_registry_lock();
    int failure = nono_sys_pipe(&process->hear, &process->orders);
    if (failure == 0 && reports_start) {
        failure = nono_sys_pipe(&process->started, &process->tell);
    }
    nono_registry_unlock();
    return failure;
}

/* In a sandbox that stands ready. Returns whether it did: nothing has happened otherwise. */
static bool launch_in_slot(const struct nono_sys_launch *launch, struct nono_sys_process *process) {
    struct nono_sys_slot *slot = nono_block_fits(launch, NONO_SLOT_BLOCK) ? nono_slot_take(launch->pool) : NULL;
    if (slot == NULL) {
        return false;
    }
    struct nono_sys_task *task = nono_block_fill(slot->block, launch);
    task->command.is_restricted = true;
    /* The template writes its own numbers into the block as soon as it has these. */
    int directory = launch->directory == NULL ? nono_sys_open_object(".") : -1;
    int failure = launch->directory == NULL && directory < 0 ? directory : open_pipes(process, false);
    if (failure == 0) {
        task->hear = process->hear;
        task->command.directory = directory;
        failure = nono_slot_start(slot, task);
        if (failure != 0) {
            nono_slot_break(slot);
        }
    }
    nono_registry_close(&process->hear);
    nono_close_if_open(directory);
    if (failure != 0) {
        nono_registry_close(&process->orders);
        nono_slot_give_back(launch->pool, slot);
        return false;
    }
    process->task = task;
    process->slot = slot;
    process->pool = launch->pool;
    return true;
}

/* By a keeper for this command only. Returns 0 or -errno. */
static int launch_with_keeper(const struct nono_sys_launch *launch, struct nono_sys_process *process) {
    char *stack_end;
    struct nono_sys_task *task = nono_block_make(launch, &stack_end);
    if (task == NULL) {
        return -ENOMEM;
    }
    process->task = task;
    int failure = open_pipes(process, launch->reports_start);
    if (failure == 0) {
        task->hear = process->hear;
        task->tell = process->tell;
        long keeper = nono_keeper_start(stack_end, &process->keeper, nono_keeper_run, task);
        failure = keeper < 0 ? (int)keeper : 0;
        process->was_started = failure == 0;
    }
    nono_registry_close(&process->tell);
    nono_registry_close(&process->hear);
    return failure;
}

int nono_sys_launch(const struct nono_sys_launch *launch, struct nono_sys_process **out) {
    struct nono_sys_process *process = make();
    if (process == NULL) {
        return -ENOMEM;
    }
    nono_registry_add(process);
    int failure = launch_in_slot(launch, process) ? 0 : launch_with_keeper(launch, process);
    if (failure != 0) {
        discard(process);
        return failure;
    }
    *out = process;
    return 0;
}

/* Who watched the command was killed, and the command with it. */
static void note_loss(struct nono_sys_task *task, bool leaves_survivors) {
    task->cause = NONO_SYS_CAUSE_LOST;
    task->leaves_survivors = leaves_survivors;
    task->status = SIGKILL;
}

static void look_at_slot(struct nono_sys_process *process) {
    while (!process->has_ended) {
        int news = nono_slot_hear(process->slot);
        if (news == 0) {
            return;
        }
        process->has_started = true;
        if (news < 0) {
            /* The guard ends what the template leaves, unless it was killed itself. */
            nono_slot_break(process->slot);
            note_loss(process->task, process->slot->leaves_survivors);
        }
        process->has_ended = news != NONO_TEMPLATE_STARTED;
    }
}

static void look_at_keeper(struct nono_sys_process *process) {
    siginfo_t ended;
    ended.si_pid = 0;
    if (process->has_ended) {
        return;
    }
    int result = waitid(P_PIDFD, (id_t)process->keeper, &ended, WEXITED | WNOHANG | __WALL);
    /* A program that waits for children of any kind may have got to see its end before us. */
    if (result == 0 ? ended.si_pid != 0 : errno == ECHILD) {
        if (!process->task->is_done) {
            note_loss(process->task, true);
        }
        process->has_ended = true;
        nono_sharers_add(-1);
    }
}

bool nono_sys_process_is_ours(const struct nono_sys_process *process) {
    return process->caller == getpid();
}

/* Notices the end, if it has come. Not in a forked child: it is its parent's command. */
static void look(struct nono_sys_process *process) {
    if (!nono_sys_process_is_ours(process)) {
        return;
    }
    pthread_mutex_lock(&process->listening);
    if (process->slot != NULL) {
        look_at_slot(process);
    } else {
        look_at_keeper(process);
    }
    pthread_mutex_unlock(&process->listening);
}

static void wait_for(struct nono_sys_process *process, const bool *news) {
    struct nono_sys_poll entry = {.fd = nono_sys_process_descriptor(process)};
    for (look(process); !*news; look(process)) {
        (void)nono_sys_poll(&entry, 1, -1);
    }
}

void nono_sys_process_wait_for_start(struct nono_sys_process *process) {
    struct nono_sys_poll entries[] = {{.fd = process->started}, {.fd = process->keeper}};
    if (process->slot != NULL) {
        wait_for(process, &process->has_started);
    } else {
        while (nono_sys_poll(entries, 2, -1) < 0) {
        }
    }
    /* What has not started ends at once. */
    if (process->task->stage != NONO_SYS_LAUNCH_DONE) {
        wait_for(process, &process->has_ended);
    }
}

int nono_sys_process_descriptor(const struct nono_sys_process *process) {
    return process->slot != NULL ? process->slot->socket : process->keeper;
}

void nono_sys_process_outcome(struct nono_sys_process *process, struct nono_sys_outcome_of_process *out) {
    if (!nono_sys_process_is_ours(process)) {
        *out = (struct nono_sys_outcome_of_process){.pid = 0};
        return;
    }
    look(process);
    const struct nono_sys_task *task = process->task;
    *out = (struct nono_sys_outcome_of_process){
        .has_ended = process->has_ended,
        .pid = task->pid,
        .stage = task->stage,
        .detail = task->command.detail,
        .error = task->error,
        .status = task->status,
        .cause = task->cause,
        .leaves_survivors = task->leaves_survivors,
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
    if (nono_sys_process_is_ours(process)) {
        nono_sys_process_end(process);
        wait_for(process, &process->has_ended);
    }
    if (process->slot != NULL && nono_sys_process_is_ours(process)) {
        nono_slot_give_back(process->pool, process->slot);
    }
    discard(process);
}

int nono_sys_hold_cancellation(void) {
    int state = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return state;
}

void nono_sys_release_cancellation(int state) {
    (void)pthread_setcancelstate(state, &state);
}
