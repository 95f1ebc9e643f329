/* SPDX-License-Identifier: Apache-2.0
 *
 * Stops all other threads of the process in a signal handler and lets them restrict themselves there, as kernels with
 * Landlock ABI 7 and older ask for: landlock_restrict_self(2) and capset(2) act on the calling thread alone.
 *
 * Two phases, so that it is all threads or none: first every thread is brought into the handler, where it waits; only
 * when as many stand still as there are, and none is left that could make another, the gate opens.
 *
 * Between the phases a stopped thread may hold any lock, so everything here is system calls and memory of our own. */
#define _GNU_SOURCE
#include "nono_threads.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_SECONDS 3
#define MOST_THREADS 32768U
#define MILLISECOND INT64_C(1000000)

enum {
    SLOT_SIGNALLED,
    SLOT_STOPPED,
    SLOT_DONE,
    SLOT_INERT, /* runs nothing of the program */
    SLOT_GONE
};
enum { GATE_CLOSED, GATE_OPEN, GATE_RESTRICTS };

struct slot {
    _Atomic uint32_t state;
    _Atomic int thread;
    int error;
};

/* One stop at a time, which restrict.c sees to; the handler reads what the caller wrote before it sent signals. Slots
 * are static because a thread may still look at its own when everybody else is done with them.
 *
 * A thread that answers after its stop has given up on it may wake up in the middle of the next one. So states, the
 * gate and what a signal carries all name the stop that they belong to. */
static struct slot slots[MOST_THREADS];
static uint32_t slot_count;
static _Atomic uint32_t gate;
static _Atomic uint32_t generation; /* odd while a stop is under way */
static const struct nono_sys_restriction *commit;
static bool has_late_signals; /* a thread that did not answer has a signal of ours still to come */
static uint64_t caller_mask;

static long futex(_Atomic uint32_t *word, int operation, uint32_t value, const struct timespec *timeout) {
    return syscall(SYS_futex, (uint32_t *)word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

/* The value of a futex: a state of a slot or of the gate, in one stop. */
static uint32_t in_stop(uint32_t stop, uint32_t state) {
    return stop << 3 | state;
}

/* What a signal of ours carries. */
static uintptr_t cookie(uint32_t stop, uint32_t slot) {
    return (uintptr_t)stop << 24 | slot;
}

void nono_sys_on_stop_signal(uintptr_t value) {
    uint32_t stop = atomic_load(&generation);
    uint32_t index = (uint32_t)(value & 0xffffff);
    /* A signal of an earlier stop means nothing any more. */
    if ((stop & 1) == 0 || index >= MOST_THREADS || value != cookie(stop, index)) {
        return;
    }
    struct slot *slot = &slots[index];
    uint32_t state = in_stop(stop, SLOT_SIGNALLED);
    if (atomic_load(&slot->thread) != (int)syscall(SYS_gettid) ||
        !atomic_compare_exchange_strong(&slot->state, &state, in_stop(stop, SLOT_STOPPED))) {
        return;
    }
    futex(&slot->state, FUTEX_WAKE, INT_MAX, NULL);
    uint32_t opened;
    while ((opened = atomic_load(&gate)) == in_stop(stop, GATE_CLOSED)) {
        futex(&gate, FUTEX_WAIT, opened, NULL);
    }
    if (opened == in_stop(stop, GATE_RESTRICTS)) {
        int failure = nono_sys_restrict_thread_landlock(commit);
        slot->error = failure != 0 ? failure : nono_sys_drop_capabilities(commit->dropped_capabilities);
    }
    state = in_stop(stop, SLOT_STOPPED);
    (void)atomic_compare_exchange_strong(&slot->state, &state, in_stop(stop, SLOT_DONE));
    futex(&slot->state, FUTEX_WAKE, INT_MAX, NULL);
}

/* A signal that finds its handler gone may end the process. */
static void remove_handler(void) {
    if (!has_late_signals) {
        nono_sys_give_stop_signal_back();
    }
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 * MILLISECOND + time.tv_nsec;
}

/* Of a stop in the making. */
struct pass {
    uint32_t stop;
    int64_t deadline;
    uint32_t found; /* threads that had no signal yet */
};

/* The slot of a thread: its own, that of one that ended, or a new one. NULL if there are too many. */
static struct slot *slot_of(int thread) {
    for (uint32_t i = 0; i < slot_count; i++) {
        if (atomic_load(&slots[i].thread) == thread) {
            return &slots[i];
        }
    }
    if (slot_count == MOST_THREADS) {
        return NULL;
    }
    struct slot *slot = &slots[slot_count++];
    slot->error = 0;
    atomic_store(&slot->thread, thread);
    atomic_store(&slot->state, in_stop(atomic_load(&generation), SLOT_GONE));
    return slot;
}

/* Sends the signal to a thread that has none yet. Returns 0 or an errno. */
static int signal_thread(int thread, void *argument) {
    struct pass *pass = argument;
    struct slot *slot = slot_of(thread);
    if (slot == NULL) {
        return ENOMEM;
    }
    if (atomic_load(&slot->state) != in_stop(pass->stop, SLOT_GONE)) {
        return 0;
    }
    atomic_store(&slot->state, in_stop(pass->stop, SLOT_SIGNALLED));
    int error;
    while ((error = nono_sys_send_stop_signal(thread, cookie(pass->stop, (uint32_t)(slot - slots)))) != 0) {
        if (error != EAGAIN || now() > pass->deadline) {
            atomic_store(&slot->state, in_stop(pass->stop, SLOT_GONE));
            return error == ESRCH ? 0 : error;
        }
        /* The queue of signals is full. */
        sched_yield();
    }
    pass->found++;
    return 0;
}

/* Waits until every thread that has a signal stands still. Returns one that does not by the deadline, or 0. */
static int wait_for_answers(const struct pass *pass) {
    const uint32_t signalled = in_stop(pass->stop, SLOT_SIGNALLED);
    for (uint32_t i = 0; i < slot_count; i++) {
        struct slot *slot = &slots[i];
        struct timespec pause = {.tv_sec = 0, .tv_nsec = MILLISECOND / 4};
        while (atomic_load(&slot->state) == signalled) {
            futex(&slot->state, FUTEX_WAIT, signalled, &pause);
            if (atomic_load(&slot->state) != signalled) {
                break;
            }
            enum nono_sys_thread_kind kind = nono_sys_thread_kind(slot->thread);
            if (kind != NONO_SYS_THREAD_RUNS) {
                atomic_store(&slot->state, in_stop(pass->stop, kind == NONO_SYS_THREAD_INERT ? SLOT_INERT : SLOT_GONE));
            } else if (now() > pass->deadline) {
                return slot->thread;
            } else if (pause.tv_nsec < 16 * MILLISECOND) {
                pause.tv_nsec *= 2;
            }
        }
    }
    return 0;
}

/* Whether all that the process has stand still. Counted first: who makes a thread later must be there now, and a
 * stopped thread does not end, so that nobody else makes up the number. */
static bool is_everyone_stopped(uint32_t stop) {
    uint32_t count = nono_sys_thread_count();
    uint32_t accounted = 1;
    for (uint32_t i = 0; i < slot_count; i++) {
        uint32_t state = atomic_load(&slots[i].state);
        accounted +=
            state == in_stop(stop, SLOT_STOPPED) ||
            (state == in_stop(stop, SLOT_INERT) && nono_sys_thread_kind(slots[i].thread) == NONO_SYS_THREAD_INERT);
    }
    return count == 0 || count == accounted;
}

static void fail(struct nono_sys_outcome *outcome, int stage, int error) {
    outcome->stage = stage;
    outcome->error = error;
}

static void fail_in(struct nono_sys_outcome *outcome, int stage, int error, int thread) {
    fail(outcome, stage, error);
    outcome->thread = thread;
    nono_sys_thread_name(thread, outcome->name, sizeof outcome->name);
}

/* Brings every other thread into the handler. */
static bool stop_all(uint32_t stop, struct nono_sys_outcome *outcome) {
    struct pass pass = {.stop = stop, .deadline = now() + DEADLINE_SECONDS * 1000 * MILLISECOND};
    for (;;) {
        pass.found = 0;
        int error = nono_sys_visit_threads(signal_thread, &pass);
        if (error != 0) {
            fail(outcome, NONO_SYS_STAGE_LIST_THREADS, error);
            return false;
        }
        int silent = wait_for_answers(&pass);
        if (silent != 0) {
            fail_in(outcome, NONO_SYS_STAGE_STOP_THREAD, ETIMEDOUT, silent);
            return false;
        }
        if (pass.found > 0) {
            continue;
        }
        if (is_everyone_stopped(stop)) {
            return true;
        }
        /* One is about to end, or was missed. */
        if (now() > pass.deadline) {
            fail(outcome, NONO_SYS_STAGE_LIST_THREADS, EBUSY);
            return false;
        }
        const struct timespec pause = {.tv_sec = 0, .tv_nsec = MILLISECOND / 4};
        syscall(SYS_nanosleep, &pause, NULL);
    }
}

/* Opens the gate, waits until everybody who came to it has passed, and ends the stop. */
static void open_gate(const struct nono_sys_restriction *restriction) {
    uint32_t stop = atomic_load(&generation);
    commit = restriction;
    atomic_store(&gate, in_stop(stop, restriction != NULL ? GATE_RESTRICTS : GATE_OPEN));
    futex(&gate, FUTEX_WAKE, INT_MAX, NULL);
    for (uint32_t i = 0; i < slot_count; i++) {
        while (atomic_load(&slots[i].state) == in_stop(stop, SLOT_STOPPED)) {
            futex(&slots[i].state, FUTEX_WAIT, in_stop(stop, SLOT_STOPPED), NULL);
        }
    }
    atomic_fetch_add(&generation, 1);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &caller_mask, NULL, sizeof caller_mask);
}

bool nono_sys_stop_threads(struct nono_sys_outcome *outcome) {
    const uint64_t all = ~UINT64_C(0);
    int error = nono_sys_take_stop_signal();
    if (error != 0) {
        fail(outcome, NONO_SYS_STAGE_LIST_THREADS, error);
        return false;
    }
    /* A handler of the program must not run here while others stand still: it may want a lock that one of them holds.
     */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &caller_mask, sizeof all);
    uint32_t stop = atomic_load(&generation) + 1;
    slot_count = 0;
    atomic_store(&gate, in_stop(stop, GATE_CLOSED));
    atomic_store(&generation, stop);
    if (stop_all(stop, outcome)) {
        return true;
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        has_late_signals |= atomic_load(&slots[i].state) == in_stop(stop, SLOT_SIGNALLED);
    }
    open_gate(NULL);
    remove_handler();
    return false;
}

void nono_sys_resume_threads(const struct nono_sys_restriction *restriction, struct nono_sys_outcome *outcome) {
    uint32_t done = in_stop(atomic_load(&generation), SLOT_DONE);
    open_gate(restriction);
    /* Whoever is there has answered, and earlier signals come first. */
    has_late_signals = false;
    remove_handler();
    for (uint32_t i = 0; i < slot_count; i++) {
        if (atomic_load(&slots[i].state) == done && slots[i].error != 0) {
            fail_in(outcome, NONO_SYS_STAGE_LANDLOCK, -slots[i].error, slots[i].thread);
            return;
        }
    }
}
