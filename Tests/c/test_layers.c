/* SPDX-License-Identifier: Apache-2.0
 *
 * Sandboxes upon sandboxes, and which threads they bind. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, READ_WRITE = 2, MOST_LAYERS = 16 };

static void make_tree(void) {
    static const char *const places[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        make_directory(places[i]);
        make_file(text("%s/f", places[i]), "contents");
    }
}

static struct NonoCapabilitySet *caps_with_two(const char *first, const char *second, uint32_t mode) {
    struct NonoCapabilitySet *caps = caps_with_path(first, mode);
    CHECK_OK(nono_capability_set_allow_path(caps, second, mode));
    return caps;
}

/* What is left is what every layer grants. */
static void narrowing(void) {
    apply(caps_with_two("a", "b", READ_WRITE));
    CHECK(try_read("a/f") == 0 && try_write("b/f") == 0 && try_read("c/f") == EACCES);
    /* A path outside can still be granted; it is only of no use. */
    apply(caps_with_two("b", "c", READ_WRITE));
    CHECK(try_read("a/f") == EACCES && try_write("b/f") == 0 && try_read("c/f") == EACCES);
    apply(caps_with_path("b", READ));
    CHECK(try_read("b/f") == 0 && try_write("b/f") == EACCES);
    apply(caps_with_path("b", READ_WRITE));
    CHECK(try_read("b/f") == 0 && try_write("b/f") == EACCES);
    CHECK(nono_sandbox_is_supported());
}

static void too_many(void) {
    struct NonoCapabilitySet *caps = caps_with_path("a", READ);
    for (int i = 0; i < MOST_LAYERS; i++) {
        CHECK_OK(nono_sandbox_apply(caps));
    }
    for (int i = 0; i < 2; i++) {
        FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT, OTHER, .os_error = E2BIG,
              .message = "Sandbox initialization failed: Failed to restrict self: failed to restrict the calling "
                         "thread: Argument list too long (os error 7)");
    }
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
    nono_capability_set_free(caps);
}

/* One set for any number of applications and children; it does not change. */
static void same_set(void *caps) {
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
}

static void *apply_in_thread(void *caps) {
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
    CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    return NULL;
}

/* It binds the thread that calls, says the header, and what that thread starts. */
static void from_a_thread(void) {
    struct NonoCapabilitySet *caps = caps_with_path("a", READ);
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, apply_in_thread, caps), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(try_read("b/f"), 0);
    CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    CHECK_OK(nono_sandbox_apply(caps));
    nono_capability_set_free(caps);
}

static void *check_bound(void *argument) {
    (void)argument;
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
    return NULL;
}

static void later_threads(void) {
    apply(caps_with_path("a", READ));
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, check_bound, NULL), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* Signals stay inside, from ABI 6 on. */
static void signals(void) {
    pid_t parent = getppid();
    apply(nono_capability_set_new());
    CHECK_INT(kill(parent, 0), -1);
    CHECK_INT(errno, EPERM);
    CHECK_INT(kill(getpid(), 0), 0);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    int status = 0;
    CHECK_INT(kill(child, SIGTERM), 0);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

static void layers(void) {
    if (!has_landlock(3)) {
        return;
    }
    make_tree();
    in_child(narrowing);
    in_child(too_many);
    struct NonoCapabilitySet *caps = caps_with_path("a", READ);
    for (int i = 0; i < 3; i++) {
        in_child_with(same_set, caps);
    }
    nono_capability_set_free(caps);
    CHECK_INT(try_read("b/f"), 0);
}

static void threads(void) {
    if (!has_landlock(3)) {
        return;
    }
    make_tree();
    in_child(from_a_thread);
    in_child(later_threads);
}

static void signal_scope(void) {
    if (has_landlock(6)) {
        in_child(signals);
    }
}

static const struct test tests[] = {{"layers", layers}, {"threads", threads}, {"signals", signal_scope}};

CHECK_MAIN("layers", tests)
