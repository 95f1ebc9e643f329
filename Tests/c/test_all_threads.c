/* SPDX-License-Identifier: Apache-2.0
 *
 * A sandbox binds every thread of the process, whatever it does and whoever applies, or none and says so. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"

enum { READ_WRITE = 2, CROWD = 50, STORMS = 20 };

static struct crew crew;

static void apply_here(void) {
    apply(caps_with_path("d", READ_WRITE));
    CHECK_INT(try_read("secret"), EACCES);
    CHECK_INT(try_read("d/f"), 0);
}

/* The number in a line of a thread's status, which was opened before. */
static unsigned long long status_number(int fd, const char *name, int base) {
    char contents[4096];
    ssize_t length = pread(fd, contents, sizeof contents - 1, 0);
    contents[length < 0 ? 0 : length] = '\0';
    const char *line = strstr(contents, name);
    return CHECK(line != NULL) ? strtoull(line + strlen(name), NULL, base) : 0;
}

/* What the kernel says of each thread, and what each can do. */
static void whatever_they_do(void) {
    enum { CAP_SYS_ADMIN_BIT = 21, CAP_CHOWN_BIT = 0, CAP_MKNOD_BIT = 27 };
    int statuses[CROWD];
    crew_start(&crew, CROWD, WAYS);
    for (int i = 0; i < CROWD; i++) {
        statuses[i] = open(text("/proc/self/task/%d/status", crew.members[i].id), O_RDONLY | O_CLOEXEC);
        CHECK_INT(status_number(statuses[i], "\nSeccomp:", 10), 0);
    }
    apply_here();
    for (int i = 0; i < CROWD; i++) {
        CHECK_INT(status_number(statuses[i], "\nNoNewPrivs:", 10), 1);
        CHECK_INT(status_number(statuses[i], "\nSeccomp:", 10), 2);
        static const char *const sets[] = {"\nCapEff:", "\nCapPrm:", "\nCapInh:", "\nCapBnd:", "\nCapAmb:"};
        for (size_t k = 0; k < sizeof sets / sizeof sets[0]; k++) {
            unsigned long long set = status_number(statuses[i], sets[k], 16);
            if (geteuid() == 0 || k < 3) {
                CHECK_INT(set >> CAP_SYS_ADMIN_BIT & 1, 0);
                CHECK_INT(set >> CAP_MKNOD_BIT & 1, 0);
            }
            if (geteuid() == 0 && k < 2) {
                CHECK_INT(set >> CAP_CHOWN_BIT & 1, 1);
            }
        }
        close(statuses[i]);
    }
    crew_check_restricted(&crew);
}

static void *apply_as_thread(void *argument) {
    (void)argument;
    apply_here();
    return NULL;
}

static void by_a_worker(void) {
    pthread_t worker;
    crew_start(&crew, 9, WAYS);
    CHECK_INT(pthread_create(&worker, NULL, apply_as_thread, NULL), 0);
    CHECK_INT(pthread_join(worker, NULL), 0);
    CHECK_INT(try_read("secret"), EACCES);
    crew_check_restricted(&crew);
}

/* The first thread has ended and stays listed for as long as there are others. */
static void *apply_alone(void *leader) {
    CHECK_INT(pthread_join(*(pthread_t *)leader, NULL), 0);
    apply_here();
    crew_check_restricted(&crew);
    _exit(0);
}

static void without_first(void) {
    static pthread_t leader;
    pthread_t worker;
    leader = pthread_self();
    crew_start(&crew, 4, WAYS);
    CHECK_INT(pthread_create(&worker, NULL, apply_alone, &leader), 0);
    pthread_exit(NULL);
}

/* Threads that make threads that make threads, all the time. None, old or new, can read afterwards. */
static atomic_bool is_applied;
static atomic_bool is_over;
static atomic_int readers;
static atomic_int running;
static atomic_long started;

static void look(void) {
    bool was_applied = atomic_load(&is_applied);
    if (try_read("secret") == 0 && was_applied) {
        atomic_fetch_add(&readers, 1);
    }
}

static void *short_lived(void *argument) {
    look();
    atomic_fetch_sub(&running, 1);
    return argument;
}

static void *creator(void *argument) {
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    while (!atomic_load(&is_over)) {
        pthread_t thread;
        if (atomic_load(&running) < 40 && pthread_create(&thread, &detached, short_lived, NULL) == 0) {
            atomic_fetch_add(&running, 1);
            atomic_fetch_add(&started, 1);
        } else {
            sched_yield();
        }
        look();
    }
    return argument;
}

static void in_a_storm(void) {
    pthread_t creators[3];
    for (int i = 0; i < 3; i++) {
        CHECK_INT(pthread_create(&creators[i], NULL, creator, NULL), 0);
    }
    while (atomic_load(&started) < 20) {
        sched_yield();
    }
    apply_here();
    atomic_store(&is_applied, true);
    long before = atomic_load(&started);
    while (atomic_load(&started) < before + 20) {
        sched_yield();
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(pthread_join(creators[i], NULL), 0);
    }
    CHECK_INT(atomic_load(&readers), 0);
}

/* Threads with the smallest stack, and with a stack for handlers. */
static void *wait_on_small_stack(void *argument) {
    while (!atomic_load(&is_over)) {
        usleep(1000);
    }
    if (try_read("secret") == 0) {
        atomic_fetch_add(&readers, 1);
    }
    return argument;
}

static void *wait_with_other_stack(void *argument) {
    static char memory[4][65536];
    static atomic_int next;
    stack_t stack = {.ss_sp = memory[atomic_fetch_add(&next, 1)], .ss_size = sizeof memory[0]};
    stack_t before;
    CHECK_INT(sigaltstack(&stack, &before), 0);
    wait_on_small_stack(NULL);
    /* A sanitizer has one of its own there. */
    CHECK_INT(sigaltstack(&before, NULL), 0);
    return argument;
}

static void on_small_stacks(void) {
    pthread_attr_t small;
    pthread_t threads[8];
    pthread_attr_init(&small);
    CHECK_INT(pthread_attr_setstacksize(&small, (size_t)sysconf(_SC_THREAD_STACK_MIN) + 4096), 0);
    for (int i = 0; i < 8; i++) {
        CHECK_INT(pthread_create(&threads[i], i < 4 ? &small : NULL,
                                 i < 4 ? wait_on_small_stack : wait_with_other_stack, NULL),
                  0);
    }
    usleep(20000);
    apply_here();
    atomic_store(&is_over, true);
    for (int i = 0; i < 8; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    CHECK_INT(atomic_load(&readers), 0);
}

static void prepare(void) {
    make_directory("d");
    make_file("d/f", "contents");
    make_file("secret", "secret");
}

static void effects(void) {
    static void (*const bodies[])(void) = {whatever_they_do, by_a_worker, without_first, on_small_stacks};
    if (!has_landlock(3)) {
        return;
    }
    prepare();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        in_child(bodies[i]);
    }
}

static void storm(void) {
    if (!has_landlock(3)) {
        return;
    }
    prepare();
    for (int i = 0; i < STORMS; i++) {
        in_child(in_a_storm);
    }
}

static const struct test tests[] = {{"effects", effects}, {"storm", storm}};

CHECK_MAIN("all_threads", tests)
