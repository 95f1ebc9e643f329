/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts a restriction in force, on all threads or on none.
 *
 * Processes that watch commands (keeper.c) share the program's memory and are not among its threads: none may be left.
 * Order: everything that can fail is tried before the first thing that cannot be undone, as far as the kernel lets us.
 *   1. no_new_privs on the caller, which the other calls need. It alone stays when a later step fails.
 *   2. With other threads, a trial of Landlock in a child that shares our memory: it tells whether the kernel takes one
 *      more layer. Then they are brought to a halt.
 *   3. seccomp(2) on all threads in one call, which restricts all or none.
 *   4. Landlock and capabilities, thread by thread, the caller first.
 * Without other threads Landlock comes first: it is what fails for want of room, and needs no trial then. */
#define _GNU_SOURCE
#include "nono_sys.h"
#include "nono_threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NONO_SECCOMP_SET_MODE_FILTER 1
#define NONO_SECCOMP_GET_ACTION_AVAIL 2
#define NONO_SECCOMP_RET_KILL_PROCESS 0x80000000U
#define NONO_SECCOMP_FILTER_FLAG_TSYNC 1UL
#define NONO_LANDLOCK_RESTRICT_SELF_TSYNC (1U << 3)

struct program {
    unsigned short length;
    const struct nono_sys_instruction *instructions;
};

static int restrict_landlock(const struct nono_sys_restriction *restriction, uint32_t flags) {
    return syscall(446 /* landlock_restrict_self */, restriction->ruleset, flags) != 0 ? -errno : 0;
}

int nono_sys_restrict_thread_landlock(const struct nono_sys_restriction *restriction) {
    /* With one shared domain, the caller has restricted everyone. */
    return restriction->shares_domain ? 0 : restrict_landlock(restriction, 0);
}

struct trial {
    const struct nono_sys_restriction *restriction;
    int result;
};

static int try_landlock(void *argument) {
    struct trial *trial = argument;
    trial->result = restrict_landlock(trial->restriction, 0);
    return 0;
}

/* Whether the kernel would take one more layer: 0 or -errno. The child is not a thread, so that its restriction is its
 * own, and sends no signal, so that the program does not notice it. Signals to the whole group must not run the
 * program's handlers in it. Not inlined: its stack is wanted with other threads only. */
__attribute__((noinline)) static int try_layer(const struct nono_sys_restriction *restriction) {
    _Alignas(16) char stack[16384];
    const uint64_t all = ~UINT64_C(0);
    uint64_t mask;
    struct trial trial = {.restriction = restriction, .result = -ECANCELED};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof all);
    int pid = clone(try_landlock, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &trial);
    int failure = pid < 0 ? -errno : 0;
    while (pid >= 0 && waitpid(pid, NULL, __WCLONE) < 0 && errno == EINTR) {
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    return failure != 0 ? failure : trial.result;
}

static void fail(struct nono_sys_outcome *outcome, int stage, int error) {
    outcome->stage = stage;
    outcome->error = error;
}

static bool install_program(const struct nono_sys_restriction *restriction, struct nono_sys_outcome *outcome) {
    struct program program = {.length = restriction->program_length, .instructions = restriction->program};
    long refused = syscall(SYS_seccomp, NONO_SECCOMP_SET_MODE_FILTER, NONO_SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (refused > 0) {
        /* The thread that cannot have our filter, since it has one of its own. */
        fail(outcome, NONO_SYS_STAGE_SECCOMP, ECANCELED);
        outcome->thread = (int)refused;
        nono_sys_thread_name(outcome->thread, outcome->name, sizeof outcome->name);
    } else if (refused < 0) {
        fail(outcome, NONO_SYS_STAGE_SECCOMP, errno);
    }
    return refused == 0;
}

static bool enter_domain(const struct nono_sys_restriction *restriction, uint32_t flags,
                         struct nono_sys_outcome *outcome) {
    int failure = restrict_landlock(restriction, flags);
    if (failure != 0) {
        fail(outcome, NONO_SYS_STAGE_LANDLOCK, -failure);
    }
    return failure == 0;
}

/* Whether seccomp(2) is there for us at all. */
static bool has_seccomp(struct nono_sys_outcome *outcome) {
    const uint32_t action = NONO_SECCOMP_RET_KILL_PROCESS;
    bool has = syscall(SYS_seccomp, NONO_SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    if (!has) {
        fail(outcome, NONO_SYS_STAGE_SECCOMP, errno);
    }
    return has;
}

/* Steps 3 and 4, while the others stand still. Takes no lock. */
static void restrict_all(const struct nono_sys_restriction *restriction, bool is_alone,
                         struct nono_sys_outcome *outcome) {
    uint32_t flags = restriction->shares_domain && !is_alone ? NONO_LANDLOCK_RESTRICT_SELF_TSYNC : 0;
    if (is_alone ? !has_seccomp(outcome) || !enter_domain(restriction, flags, outcome)
                 : !install_program(restriction, outcome)) {
        return;
    }
    outcome->is_incomplete = true;
    if (is_alone ? !install_program(restriction, outcome) : !enter_domain(restriction, flags, outcome)) {
        return;
    }
    int failure = nono_sys_drop_capabilities(restriction->dropped_capabilities);
    if (failure != 0) {
        fail(outcome, NONO_SYS_STAGE_CAPABILITIES, -failure);
    }
}

/* Nobody else has our memory, nor our ruleset to add rules to. */
static bool is_on_its_own(const struct nono_sys_restriction *restriction, struct nono_sys_outcome *outcome) {
    if (nono_sys_sharers() != 0) {
        fail(outcome, NONO_SYS_STAGE_COMMANDS, EBUSY);
        return false;
    }
    if (nono_sys_forks() != restriction->forks) {
        fail(outcome, NONO_SYS_STAGE_RULESETS, EAGAIN);
        return false;
    }
    return true;
}

static void restrict_process(const struct nono_sys_restriction *restriction, struct nono_sys_outcome *outcome) {
    if (!is_on_its_own(restriction, outcome)) {
        return;
    }
    int failure = nono_sys_no_new_privs();
    if (failure != 0) {
        fail(outcome, NONO_SYS_STAGE_NO_NEW_PRIVS, -failure);
        return;
    }
    bool is_alone = nono_sys_is_single_threaded();
    if (!is_alone) {
        failure = try_layer(restriction);
        if (failure != 0) {
            fail(outcome, NONO_SYS_STAGE_LANDLOCK, -failure);
            return;
        }
        if (!nono_sys_stop_threads(outcome)) {
            return;
        }
    }
    /* Nobody can start or fork one any more. */
    if (is_on_its_own(restriction, outcome)) {
        restrict_all(restriction, is_alone, outcome);
    }
    if (!is_alone) {
        nono_sys_resume_threads(outcome->stage == NONO_SYS_STAGE_DONE ? restriction : NULL, outcome);
    }
    if (outcome->stage == NONO_SYS_STAGE_DONE) {
        outcome->is_incomplete = false;
    }
}

/* One at a time: two callers that stop each other would wait for ever. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

void nono_sys_restrict(const struct nono_sys_restriction *restriction, struct nono_sys_outcome *outcome) {
    int cancel_state;
    *outcome = (struct nono_sys_outcome){.stage = NONO_SYS_STAGE_DONE};
    /* A thread that is cancelled halfway would leave the others standing. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    int failure = nono_sys_leave_others();
    nono_sys_end_idle_slots();
    pthread_mutex_lock(&one_at_a_time);
    if (failure == 0) {
        restrict_process(restriction, outcome);
    } else {
        fail(outcome, NONO_SYS_STAGE_RULESETS, -failure);
    }
    pthread_mutex_unlock(&one_at_a_time);
    (void)pthread_setcancelstate(cancel_state, &cancel_state);
}

static void before_fork(void) {
    pthread_mutex_lock(&one_at_a_time);
}

static void after_fork(void) {
    pthread_mutex_unlock(&one_at_a_time);
}

__attribute__((constructor)) static void keep_lock_across_fork(void) {
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}
