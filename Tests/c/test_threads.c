/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads: handles that are shared, errors that are not, and fork() in the middle of it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { THREADS = 8, ROUNDS = 300, READ = 0 };

static void run_threads(void *(*body)(void *), void *argument) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, body, argument), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
}

/* Does everything that can be done with a set. Its strings are checked, so that a torn one shows. */
static void *use(void *argument) {
    struct NonoCapabilitySet *caps = argument;
    unsigned wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        wrong += nono_capability_set_allow_path(caps, i % 2 == 0 ? "d" : "./d/", READ) != NONO_ERROR_CODE_OK;
        wrong += nono_capability_set_allow_command(caps, "git") != NONO_ERROR_CODE_OK;
        wrong += nono_capability_set_set_network_blocked(caps, i % 2 == 0) != NONO_ERROR_CODE_OK;
        wrong += nono_capability_set_fs_count(caps) == 0;
        char *original = nono_capability_set_fs_original(caps, 0);
        wrong += original == NULL || (strcmp(original, "d") != 0 && strcmp(original, "./d/") != 0);
        nono_string_free(original);
        wrong += !nono_capability_set_path_covered(caps, "d/x");
        if (i % 16 == 0) {
            nono_capability_set_deduplicate(caps);
        }
        struct NonoCapabilitySet *copy = nono_capability_set_copy(caps);
        char *summary = nono_capability_set_summary(copy);
        wrong += summary == NULL || strncmp(summary, "Filesystem:\n", 12) != 0;
        nono_string_free(summary);
        nono_capability_set_free(copy);
        struct NonoQueryContext *ctx = nono_query_context_new(caps);
        NonoQueryResult result;
        wrong += nono_query_context_query_path(ctx, "d/x", READ, &result) != NONO_ERROR_CODE_OK ||
                 result.reason != NONO_QUERY_REASON_GRANTED_PATH;
        nono_string_free(result.granted_path);
        nono_string_free(result.access);
        nono_query_context_free(ctx);
        struct NonoSandboxState *state = nono_sandbox_state_from_caps(caps);
        wrong += nono_sandbox_state_fs_count(state) == 0;
        nono_sandbox_state_free(state);
    }
    CHECK_INT(wrong, 0);
    return NULL;
}

static void shared_set(void) {
    make_directory("d");
    struct NonoCapabilitySet *caps = caps_with_path("d", READ);
    run_threads(use, caps);
    nono_capability_set_deduplicate(caps);
    CHECK_INT(nono_capability_set_fs_count(caps), 1);
    nono_capability_set_free(caps);
}

/* Nothing is lost when threads add at once. */
static void *add(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(nono_capability_set_allow_path(argument, ".", READ));
    }
    return NULL;
}

static void no_lost_grants(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    run_threads(add, caps);
    CHECK_INT(nono_capability_set_fs_count(caps), THREADS * ROUNDS);
    nono_capability_set_free(caps);
}

static void *shared_query(void *argument) {
    unsigned wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        NonoQueryResult result;
        wrong += nono_query_context_query_path(argument, "d/../d/x", READ, &result) != NONO_ERROR_CODE_OK ||
                 result.status != NONO_QUERY_STATUS_ALLOWED;
        nono_string_free(result.granted_path);
        nono_string_free(result.access);
    }
    CHECK_INT(wrong, 0);
    return NULL;
}

static void shared_context(void) {
    make_directory("d");
    struct NonoCapabilitySet *caps = caps_with_path("d", READ);
    struct NonoQueryContext *ctx = nono_query_context_new(caps);
    nono_capability_set_free(caps);
    run_threads(shared_query, ctx);
    nono_query_context_free(ctx);
}

/* Each thread sees its own errors, and starts without one. */
static void *fail_in_own_words(void *argument) {
    static atomic_int next;
    int number = atomic_fetch_add(&next, 1);
    char path[32];
    char expected[64];
    unsigned wrong = 0;
    CHECK_OWNED(nono_last_error(), NULL);
    CHECK_INT(nono_last_diagnostic_code(), NONO_DIAGNOSTIC_CODE_OTHER);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(path, sizeof path, "missing %d.%d", number, i);
        snprintf(expected, sizeof expected, "Path does not exist: %s", path);
        wrong += nono_capability_set_allow_path(argument, path, READ) != NONO_ERROR_CODE_ERR_PATH_NOT_FOUND;
        char *message = nono_last_error();
        char *about = nono_last_error_path(NULL);
        wrong += message == NULL || strcmp(message, expected) != 0 || about == NULL || strcmp(about, path) != 0;
        nono_string_free(message);
        nono_string_free(about);
    }
    CHECK_INT(wrong, 0);
    return NULL;
}

static void own_errors(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_INT(nono_capability_set_set_network_mode(caps, 9), NONO_ERROR_CODE_ERR_INVALID_ARG);
    run_threads(fail_in_own_words, caps);
    CHECK_OWNED(nono_last_error(), "invalid network mode: 9");
    nono_capability_set_free(caps);
}

/* A thread's error, with all three texts, is released when the thread ends; the leak check at the end of the program
 * would tell. */
static void *leave_error(void *argument) {
    (void)argument;
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_INT(nono_capability_set_allow_file(caps, ".", READ), NONO_ERROR_CODE_ERR_EXPECTED_FILE);
    nono_capability_set_free(caps);
    return NULL;
}

static void errors_end_with_threads(void) {
    for (int i = 0; i < 4; i++) {
        run_threads(leave_error, NULL);
    }
}

/* A handle made by one thread, freed by another. */
static void *make_set(void *argument) {
    (void)argument;
    return caps_with_path(".", READ);
}

static void handed_over(void) {
    pthread_t thread;
    void *caps = NULL;
    CHECK_INT(pthread_create(&thread, NULL, make_set, NULL), 0);
    CHECK_INT(pthread_join(thread, &caps), 0);
    CHECK_INT(nono_capability_set_fs_count(caps), 1);
    nono_capability_set_free(caps);
}

static atomic_bool stop;

static void *keep_busy(void *argument) {
    while (!atomic_load(&stop)) {
        (void)nono_capability_set_allow_path(argument, "d", READ);
        nono_capability_set_deduplicate(argument);
        (void)nono_capability_set_allow_path(argument, "missing", READ);
    }
    return NULL;
}

/* The child can use every handle, whatever the other threads were doing. Nothing here allocates: the sanitizer's
 * allocator, unlike libc's, is not made for a fork in a process with threads. */
static void use_in_child(void *argument) {
    alarm(10);
    CHECK(nono_capability_set_fs_count(argument) > 0);
    CHECK_OK(nono_capability_set_set_network_blocked(argument, true));
    CHECK(nono_capability_set_is_network_blocked(argument));
    CHECK_INT(nono_capability_set_network_mode(argument), NONO_NETWORK_MODE_BLOCKED);
}

static void fork_among_threads(void) {
    make_directory("d");
    struct NonoCapabilitySet *caps = caps_with_path("d", READ);
    pthread_t threads[2];
    atomic_store(&stop, false);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_create(&threads[i], NULL, keep_busy, caps), 0);
    }
    for (int i = 0; i < 50 && in_child_with(use_in_child, caps); i++) {
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    }
    nono_capability_set_free(caps);
}

/* A child has its parent's last error, and its own from then on. */
static void error_in_child(void) {
    CHECK_OWNED(nono_last_error(), "invalid network mode: 9");
    nono_clear_error();
    CHECK_OWNED(nono_last_error(), NULL);
}

static void errors_across_fork(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_INT(nono_capability_set_set_network_mode(caps, 9), NONO_ERROR_CODE_ERR_INVALID_ARG);
    in_child(error_in_child);
    CHECK_OWNED(nono_last_error(), "invalid network mode: 9");
    nono_capability_set_free(caps);
}

static const struct test tests[] = {
    {"shared_set", shared_set},
    {"no_lost_grants", no_lost_grants},
    {"shared_context", shared_context},
    {"own_errors", own_errors},
    {"thread_exit", errors_end_with_threads},
    {"handed_over", handed_over},
    {"fork_among_threads", fork_among_threads},
    {"errors_across_fork", errors_across_fork},
};

CHECK_MAIN("threads", tests)
