/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's side of running a command: laying out what the keeper needs, starting it, hearing from it. */
#define _GNU_SOURCE
#include "nono_launch.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
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

static void close_pipes(const struct nono_sys_process *process) {
    close(process->orders);
    nono_close_if_open(process->started);
}

/* In a sandbox that stands ready. Returns whether it did: nothing has happened otherwise. */
static bool launch_in_slot(const struct nono_sys_launch *launch, struct nono_sys_process **out) {
    struct nono_sys_slot *slot = nono_block_fits(launch, NONO_SLOT_BLOCK) ? nono_slot_take(launch->pool) : NULL;
    if (slot == NULL) {
        return false;
    }
    struct nono_sys_process *process = nono_block_fill(slot->block, launch);
    process->slot = slot;
    process->command.is_restricted = true;
    /* The template writes its own numbers into the block as soon as it has these. */
    int directory = launch->directory == NULL ? nono_sys_open_object(".") : -1;
    int hear = -1;
    int failure = launch->directory == NULL && directory < 0 ? directory : nono_sys_pipe(&hear, &process->orders);
    if (failure == 0) {
        process->hear = hear;
        process->command.directory = directory;
        failure = nono_slot_start(slot, process);
        close(hear);
        if (failure != 0) {
            close(process->orders);
            nono_slot_break(slot);
        }
    }
    nono_close_if_open(directory);
    if (failure != 0) {
        nono_slot_give_back(launch->pool, slot);
        return false;
    }
    *out = process;
    return true;
}

int nono_sys_launch(const struct nono_sys_launch *launch, struct nono_sys_process **out) {
    if (launch_in_slot(launch, out)) {
        return 0;
    }
    struct nono_sys_process *process = nono_block_make(launch);
    if (process == NULL) {
        return -ENOMEM;
    }
    int failure = open_pipes(process);
    if (failure != 0) {
        nono_block_discard(process);
        return failure;
    }
    long keeper = nono_keeper_start(process->stack_end, &process->keeper, nono_keeper_run, process);
    close(process->hear);
    nono_close_if_open(process->tell);
    if (keeper < 0) {
        close_pipes(process);
        nono_block_discard(process);
        return (int)keeper;
    }
    *out = process;
    return 0;
}

/* Who watched the command was killed, and the command with it. */
static void note_loss(struct nono_sys_process *process, bool leaves_survivors) {
    process->cause = NONO_SYS_CAUSE_LOST;
    process->leaves_survivors = leaves_survivors;
    process->status = SIGKILL;
}

static void look_at_slot(struct nono_sys_process *process) {
    while (!process->has_ended) {
        int news = nono_slot_hear(process->slot);
        if (news == 0) {
            return;
        }
        process->has_started = true;
        if (news < 0) {
            /* The guard ends what the template leaves. */
            nono_slot_break(process->slot);
            note_loss(process, false);
        }
        process->has_ended = news != NONO_TEMPLATE_STARTED;
    }
}

static void look_at_keeper(struct nono_sys_process *process) {
    siginfo_t ended;
    ended.si_pid = 0;
    if (process->has_ended || process->caller != getpid()) {
        return;
    }
    int result = waitid(P_PIDFD, (id_t)process->keeper, &ended, WEXITED | WNOHANG | __WALL);
    /* A program that waits for children of any kind may have got to see its end before us. */
    if (result == 0 ? ended.si_pid != 0 : errno == ECHILD) {
        if (!process->is_done) {
            note_loss(process, true);
        }
        process->has_ended = true;
        nono_sharers_add(-1);
    }
}

/* Notices the end, if it has come. */
static void look(struct nono_sys_process *process) {
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
    if (process->stage != NONO_SYS_LAUNCH_DONE) {
        wait_for(process, &process->has_ended);
    }
}

int nono_sys_process_descriptor(const struct nono_sys_process *process) {
    return process->slot != NULL ? process->slot->socket : process->keeper;
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
    bool is_ours = getpid() == process->caller;
    struct nono_sys_slot *slot = process->slot;
    if (is_ours) {
        nono_sys_process_end(process);
        wait_for(process, &process->has_ended);
    }
    close_pipes(process);
    if (slot == NULL) {
        close(process->keeper);
        nono_block_discard(process);
    } else if (is_ours) {
        nono_slot_give_back(process->command.launch.pool, slot);
    }
}
