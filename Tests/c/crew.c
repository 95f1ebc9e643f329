/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void do_nothing(int signal) {
    (void)signal;
}

static void wait_once(struct member *member) {
    static _Atomic uint32_t never;
    struct crew *crew = member->crew;
    struct pollfd end = {.fd = crew->pipe[0], .events = POLLIN};
    const struct timespec long_time = {.tv_sec = 30, .tv_nsec = 0};
    const struct timespec moment = {.tv_sec = 0, .tv_nsec = 5000000};
    sigset_t set;
    char byte;
    switch (member->way) {
    case READS:
        (void)!read(crew->pipe[0], &byte, 1);
        break;
    case POLLS:
        poll(&end, 1, -1);
        break;
    case SLEEPS:
        nanosleep(&long_time, NULL);
        break;
    case WAITS_ON_FUTEX:
        syscall(SYS_futex, (uint32_t *)&never, FUTEX_WAIT_PRIVATE, 0, &long_time, NULL, 0);
        break;
    case SUSPENDS:
        sigemptyset(&set);
        sigsuspend(&set);
        break;
    case SPINS:
        break;
    case ALLOCATES:
        for (size_t i = 1; i < 100; i++) {
            char *volatile memory = malloc(i * 37);
            memory[0] = 'x';
            free(memory);
        }
        break;
    case BLOCKS_SIGNALS:
        nanosleep(&moment, NULL);
        break;
    default:
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        sigtimedwait(&set, NULL, &moment);
        break;
    }
}

static void *serve(void *argument) {
    struct member *member = argument;
    struct crew *crew = member->crew;
    if (member->way >= BLOCKS_SIGNALS) {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, NULL);
    }
    member->id = (pid_t)syscall(SYS_gettid);
    atomic_fetch_add(&crew->ready, 1);
    while (!atomic_load(&crew->asked)) {
        wait_once(member);
    }
    member->error = try_read("secret");
    atomic_fetch_add(&crew->answered, 1);
    return NULL;
}

static void pause_a_moment(void) {
    const struct timespec moment = {.tv_sec = 0, .tv_nsec = 1000000};
    nanosleep(&moment, NULL);
}

void crew_start(struct crew *crew, int count, enum way way) {
    struct sigaction action = {.sa_handler = do_nothing};
    CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
    memset(crew, 0, sizeof *crew);
    crew->count = count;
    CHECK_INT(pipe2(crew->pipe, O_CLOEXEC), 0);
    for (int i = 0; i < count; i++) {
        struct member *member = &crew->members[i];
        member->crew = crew;
        member->way = way == WAYS ? (enum way)(i % WAYS) : way;
        CHECK_INT(pthread_create(&member->thread, NULL, serve, member), 0);
    }
    while (atomic_load(&crew->ready) < count) {
        pause_a_moment();
    }
}

int crew_ask(struct crew *crew) {
    int could = 0;
    atomic_store(&crew->asked, true);
    close(crew->pipe[1]);
    while (atomic_load(&crew->answered) < crew->count) {
        for (int i = 0; i < crew->count; i++) {
            pthread_kill(crew->members[i].thread, SIGUSR1);
        }
        pause_a_moment();
    }
    for (int i = 0; i < crew->count; i++) {
        CHECK_INT(pthread_join(crew->members[i].thread, NULL), 0);
        could += crew->members[i].error == 0;
    }
    close(crew->pipe[0]);
    return could;
}

void crew_check_restricted(struct crew *crew) {
    CHECK_INT(crew_ask(crew), 0);
}

void crew_check_free(struct crew *crew) {
    CHECK_INT(crew_ask(crew), crew->count);
}

void apply_again_and_again(void) {
    enum { READ_WRITE = 2 };
    struct NonoCapabilitySet *caps = caps_with_path("d", READ_WRITE);
    for (int i = 0; i < LAYERS; i++) {
        CHECK_OK(nono_sandbox_apply(caps));
    }
    nono_capability_set_free(caps);
}

void check_restricted(void) {
    CHECK_INT(try_read("secret"), EACCES);
    CHECK_INT(try_read("d/f"), 0);
}
