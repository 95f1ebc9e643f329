/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals, by which threads are stopped: what a program notices of that, and threads that do not answer. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "crew.h"

enum { READ_WRITE = 2, SIGNALS = 64 };

static struct crew crew;
static atomic_bool is_over;
static atomic_long rounds;

/* The kernel's view, in which no signal is hidden. */
struct action {
    uintptr_t words[4];
};

static void read_actions(struct action actions[SIGNALS + 1]) {
    memset(actions, 0, (SIGNALS + 1) * sizeof actions[0]);
    for (int signal = 1; signal <= SIGNALS; signal++) {
        CHECK_INT(syscall(SYS_rt_sigaction, signal, NULL, &actions[signal], 8), 0);
    }
}

static uint64_t read_mask(int status) {
    char contents[4096];
    ssize_t length = pread(status, contents, sizeof contents - 1, 0);
    contents[length < 0 ? 0 : length] = '\0';
    const char *line = strstr(contents, "\nSigBlk:");
    return line != NULL ? strtoull(line + 8, NULL, 16) : 0;
}

/* The same once no handler runs and no thread is being started any more: for that moment even signal 33 is blocked,
 * which no program can ask libc for. */
static uint64_t read_settled_mask(int status) {
    uint64_t mask = read_mask(status);
    for (int i = 0; i < 2000 && (mask >> 32 & 1) != 0; i++) {
        usleep(1000);
        mask = read_mask(status);
    }
    return mask;
}

static void leaves_signals_alone(void) {
    static const enum way ways[] = {READS, POLLS, SLEEPS, BLOCKS_SIGNALS};
    static struct crew crews[4];
    struct action before[SIGNALS + 1];
    struct action after[SIGNALS + 1];
    int statuses[5];
    uint64_t masks[5];
    for (int i = 0; i < 4; i++) {
        crew_start(&crews[i], 2, ways[i]);
    }
    usleep(10000);
    for (int i = 0; i < 5; i++) {
        pid_t id = i < 4 ? crews[i].members[0].id : getpid();
        statuses[i] = open(text("/proc/self/task/%d/status", id), O_RDONLY | O_CLOEXEC);
        masks[i] = read_settled_mask(statuses[i]);
    }
    CHECK(masks[3] != 0 && masks[0] == 0);
    read_actions(before);
    apply_again_and_again();
    read_actions(after);
    CHECK(memcmp(before, after, sizeof before) == 0);
    for (int i = 0; i < 5; i++) {
        CHECK_INT(read_settled_mask(statuses[i]), masks[i]);
        close(statuses[i]);
    }
    for (int i = 0; i < 4; i++) {
        crew_check_restricted(&crews[i]);
    }
}

static void count_round(int signal) {
    (void)signal;
    atomic_fetch_add(&rounds, 1);
}

static void signals_all_the_time(void) {
    struct sigaction action = {.sa_handler = count_round};
    struct itimerval interval = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
    CHECK_INT(sigaction(SIGALRM, &action, NULL), 0);
    crew_start(&crew, 9, SPINS);
    CHECK_INT(setitimer(ITIMER_REAL, &interval, NULL), 0);
    apply_again_and_again();
    long before = atomic_load(&rounds);
    double waited = 0;
    for (; atomic_load(&rounds) < before + 20 && waited < 10; waited += 0.001) {
        usleep(1000);
    }
    CHECK(waited < 10);
    interval = (struct itimerval){0};
    CHECK_INT(setitimer(ITIMER_REAL, &interval, NULL), 0);
    crew_check_restricted(&crew);
}

/* signal(7): read() goes on by itself, poll() does not. */
static atomic_int interrupted_reads;
static atomic_int interrupted_polls;

static void *read_on(void *pipe) {
    char byte;
    while (read(*(int *)pipe, &byte, 1) < 0 && errno == EINTR) {
        atomic_fetch_add(&interrupted_reads, 1);
    }
    return NULL;
}

static void *poll_on(void *pipe) {
    struct pollfd end = {.fd = *(int *)pipe, .events = POLLIN};
    while (poll(&end, 1, -1) < 0 && errno == EINTR) {
        atomic_fetch_add(&interrupted_polls, 1);
    }
    return NULL;
}

static void interrupted_calls(void) {
    int ends[2];
    pthread_t threads[2];
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    CHECK_INT(pthread_create(&threads[0], NULL, read_on, &ends[0]), 0);
    CHECK_INT(pthread_create(&threads[1], NULL, poll_on, &ends[0]), 0);
    usleep(20000);
    apply(caps_with_path("d", READ_WRITE));
    usleep(20000);
    close(ends[1]);
    CHECK_INT(pthread_join(threads[0], NULL), 0);
    CHECK_INT(pthread_join(threads[1], NULL), 0);
    CHECK_INT(atomic_load(&interrupted_reads), 0);
    CHECK_INT(atomic_load(&interrupted_polls), 1);
}

/* Threads that do not answer, or cannot be restricted */

static atomic_int deaf_id;
static atomic_bool may_hear;

static void *block_everything(void *argument) {
    const uint64_t all = ~UINT64_C(0);
    uint64_t before;
    prctl(PR_SET_NAME, "deaf");
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
    atomic_store(&deaf_id, (int)syscall(SYS_gettid));
    while (!atomic_load(&may_hear)) {
        usleep(1000);
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
    atomic_fetch_add(&rounds, 1);
    while (!atomic_load(&is_over)) {
        usleep(1000);
    }
    CHECK_INT(try_read("secret"), EACCES);
    return argument;
}

static void with_a_deaf_thread(void) {
    pthread_t deaf;
    struct timespec start;
    struct timespec end;
    crew_start(&crew, 4, WAYS);
    CHECK_INT(pthread_create(&deaf, NULL, block_everything, NULL), 0);
    while (atomic_load(&deaf_id) == 0) {
        usleep(1000);
    }
    struct NonoCapabilitySet *caps = caps_with_path("d", READ_WRITE);
    clock_gettime(CLOCK_MONOTONIC, &start);
    FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT, OTHER, .os_error = ETIMEDOUT,
          .message = text("Sandbox initialization failed: Failed to restrict self: thread %d (deaf) did not answer "
                          "within 3 seconds; is a signal blocked in it by a system call of its own, or is it stopped?",
                          atomic_load(&deaf_id)));
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK(end.tv_sec - start.tv_sec >= 2 && end.tv_sec - start.tv_sec <= 5);
    NonoSandboxStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_sandbox_status(&status));
    CHECK(status.layers == 0 && status.seccomp_mode == 0 && !status.is_incomplete);
    CHECK_INT(try_read("secret"), 0);
    crew_check_free(&crew);
    /* The signal is still to come, and does no harm. */
    atomic_store(&may_hear, true);
    while (atomic_load(&rounds) == 0) {
        usleep(1000);
    }
    CHECK_OK(nono_sandbox_apply(caps));
    check_restricted();
    atomic_store(&is_over, true);
    CHECK_INT(pthread_join(deaf, NULL), 0);
    nono_capability_set_free(caps);
}

static void *filter_oneself(void *argument) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    prctl(PR_SET_NAME, "filtered");
    CHECK_INT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_INT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    atomic_store(&deaf_id, (int)syscall(SYS_gettid));
    while (!atomic_load(&is_over)) {
        usleep(1000);
    }
    CHECK_INT(try_read("secret"), 0);
    return argument;
}

static void with_a_filtered_thread(void) {
    pthread_t filtered;
    CHECK_INT(pthread_create(&filtered, NULL, filter_oneself, NULL), 0);
    while (atomic_load(&deaf_id) == 0) {
        usleep(1000);
    }
    crew_start(&crew, 4, WAYS);
    struct NonoCapabilitySet *caps = caps_with_path("d", READ_WRITE);
    FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT, OTHER, .os_error = ECANCELED,
          .message = text("Sandbox initialization failed: Failed to restrict self: thread %d (filtered) has a seccomp "
                          "filter of its own, so that it cannot have ours",
                          atomic_load(&deaf_id)));
    CHECK_INT(try_read("secret"), 0);
    crew_check_free(&crew);
    atomic_store(&is_over, true);
    CHECK_INT(pthread_join(filtered, NULL), 0);
    /* Without it, it works. */
    CHECK_OK(nono_sandbox_apply(caps));
    check_restricted();
    nono_capability_set_free(caps);
}

static void signals(void) {
    static void (*const bodies[])(void) = {leaves_signals_alone, signals_all_the_time, interrupted_calls,
                                           with_a_deaf_thread, with_a_filtered_thread};
    if (!has_landlock(3)) {
        return;
    }
    make_directory("d");
    make_file("d/f", "contents");
    make_file("secret", "secret");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        in_child(bodies[i]);
    }
}

static const struct test tests[] = {{"signals", signals}};

CHECK_MAIN("signals", tests)
