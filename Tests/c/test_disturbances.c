/* SPDX-License-Identifier: Apache-2.0
 *
 * What other threads do while a process applies: setuid(), fork(), locks, another apply, cancellation. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"

enum { READ_WRITE = 2 };

static struct crew crew;
static atomic_bool is_over;
static atomic_long rounds;

/* Runs a thread before, during and after several applies. */
static void apply_beside(void *(*body)(void *)) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    while (atomic_load(&rounds) < 3) {
        usleep(100);
    }
    apply_again_and_again();
    long before = atomic_load(&rounds);
    while (atomic_load(&rounds) < before + 3) {
        usleep(100);
    }
    atomic_store(&is_over, true);
    CHECK_INT(pthread_join(thread, NULL), 0);
    check_restricted();
}

/* glibc makes every thread take part, by the same signal. */
static void *change_ids(void *argument) {
    while (!atomic_load(&is_over)) {
        CHECK_INT(setgid(getgid()), 0);
        CHECK_INT(setuid(getuid()), 0);
        atomic_fetch_add(&rounds, 1);
    }
    return argument;
}

static void beside_setuid(void) {
    crew_start(&crew, 9, WAYS);
    CHECK_INT(setgid(getgid()), 0);
    apply_beside(change_ids);
    CHECK_INT(setgid(getgid()), 0);
    crew_check_restricted(&crew);
}

static void setuid_afterwards(void) {
    enum { NOBODY = 65534, MEMBERS = 4 };
    if (geteuid() != 0) {
        check_skip("only root can become somebody else");
        return;
    }
    int statuses[MEMBERS];
    crew_start(&crew, MEMBERS, WAYS);
    for (int i = 0; i < MEMBERS; i++) {
        statuses[i] = open(text("/proc/self/task/%d/status", crew.members[i].id), O_RDONLY | O_CLOEXEC);
    }
    apply_again_and_again();
    CHECK_INT(setgid(NOBODY), 0);
    CHECK_INT(setuid(NOBODY), 0);
    for (int i = 0; i < MEMBERS; i++) {
        char contents[4096];
        ssize_t length = pread(statuses[i], contents, sizeof contents - 1, 0);
        contents[length < 0 ? 0 : length] = '\0';
        CHECK(strstr(contents, "\nUid:\t65534\t65534\t65534\t65534\n") != NULL);
        close(statuses[i]);
    }
    crew_check_restricted(&crew);
}

/* The child takes the library's locks and allocates nothing: the sanitizer's allocator, unlike libc's, is not made for
 * a fork in a process with threads. */
static void *fork_on(void *argument) {
    struct NonoCapabilitySet *caps = caps_with_path("d", READ_WRITE);
    while (!atomic_load(&is_over)) {
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            NonoSandboxStatus found = {.struct_size = sizeof found};
            bool works = nono_sandbox_status(&found) == NONO_ERROR_CODE_OK && nono_capability_set_fs_count(caps) > 0;
            _exit(works ? 0 : 1);
        }
        int status = -1;
        CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
        atomic_fetch_add(&rounds, 1);
    }
    nono_capability_set_free(caps);
    return argument;
}

static void beside_fork(void) {
    apply_beside(fork_on);
}

static void *use_library(void *argument) {
    while (!atomic_load(&is_over)) {
        struct NonoCapabilitySet *caps = caps_with_path("d", READ_WRITE);
        nono_string_free(nono_capability_set_summary(caps));
        CHECK_INT(nono_capability_set_set_network_mode(caps, 9), NONO_ERROR_CODE_ERR_INVALID_ARG);
        nono_capability_set_free(caps);
        atomic_fetch_add(&rounds, 1);
    }
    return argument;
}

static void beside_library(void) {
    apply_beside(use_library);
}

static void beside_malloc(void) {
    crew_start(&crew, 8, ALLOCATES);
    apply_again_and_again();
    crew_check_restricted(&crew);
}

static void *apply_some(void *argument) {
    apply_again_and_again();
    return argument;
}

static void two_at_once(void) {
    pthread_t threads[2];
    crew_start(&crew, 4, WAYS);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, apply_some, NULL), 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    NonoSandboxStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_sandbox_status(&status));
    CHECK_INT(status.layers, 2 * LAYERS);
    crew_check_restricted(&crew);
}

/* A thread that is to be cancelled applies first. */
static atomic_bool has_applied;

static void *apply_cancelled(void *argument) {
    pthread_cancel(pthread_self());
    apply(caps_with_path("d", READ_WRITE));
    atomic_store(&has_applied, true);
    pthread_testcancel();
    return argument;
}

static void with_cancellation(void) {
    pthread_t thread;
    void *result = NULL;
    crew_start(&crew, 4, WAYS);
    CHECK_INT(pthread_create(&thread, NULL, apply_cancelled, NULL), 0);
    CHECK_INT(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED && atomic_load(&has_applied));
    crew_check_restricted(&crew);
    check_restricted();
}

static void disturbances(void) {
    static void (*const bodies[])(void) = {beside_setuid, setuid_afterwards, beside_fork,      beside_library,
                                           beside_malloc, two_at_once,       with_cancellation};
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

static const struct test tests[] = {{"disturbances", disturbances}};

CHECK_MAIN("disturbances", tests)
