/* SPDX-License-Identifier: Apache-2.0
 *
 * Sandboxes upon sandboxes, and what is said of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crew.h"

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

static NonoSandboxStatus status(void) {
    NonoSandboxStatus found = {.struct_size = sizeof found};
    CHECK_OK(nono_sandbox_status(&found));
    return found;
}

/* The kernel takes 16. One more changes nothing, for no thread. */
static void too_many(void) {
    static struct crew crew;
    struct NonoCapabilitySet *caps = caps_with_path("a", READ);
    crew_start(&crew, 4, SLEEPS);
    for (int i = 0; i < MOST_LAYERS; i++) {
        CHECK_OK(nono_sandbox_apply(caps));
    }
    for (int i = 0; i < 2; i++) {
        FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT, OTHER, .os_error = E2BIG,
              .message = "Sandbox initialization failed: Failed to restrict self: failed to restrict the calling "
                         "thread: Argument list too long (os error 7)");
    }
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
    CHECK_INT(status().layers, MOST_LAYERS);
    CHECK(!status().is_incomplete);
    crew_check_restricted(&crew);
    nono_capability_set_free(caps);
}

/* One set for any number of applications and children; it does not change. */
static void same_set(void *caps) {
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
}

/* It binds all threads, whichever calls. */
static void *apply_in_thread(void *caps) {
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
    CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    return NULL;
}

static void from_a_thread(void) {
    struct NonoCapabilitySet *caps = caps_with_path("a", READ);
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, apply_in_thread, caps), 0);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(try_read("a/f") == 0 && try_read("b/f") == EACCES);
    CHECK_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_INT(status().layers, 1);
    CHECK_OK(nono_sandbox_apply(caps));
    CHECK_INT(status().layers, 2);
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

static void apply_allowing(uint64_t allow, void (*prepare)(struct NonoCapabilitySet *)) {
    struct NonoCapabilitySet *caps = caps_with_path("a", READ_WRITE);
    NonoApplyOptions options = {.struct_size = sizeof options, .allow = allow};
    if (prepare != NULL) {
        prepare(caps);
    }
    CHECK_OK(nono_sandbox_apply_with_options(caps, &options));
    nono_capability_set_free(caps);
}

static void block_network(struct NonoCapabilitySet *caps) {
    CHECK_OK(nono_capability_set_set_network_blocked(caps, true));
}

static void use_proxy(struct NonoCapabilitySet *caps) {
    CHECK_OK(nono_capability_set_set_proxy_port(caps, 8080));
}

static void block_sockets(struct NonoCapabilitySet *caps) {
    CHECK_OK(nono_capability_set_block_unix_sockets(caps));
}

static int try_keyctl(void) {
    return syscall(SYS_keyctl, 0L, -3L, 0L) < 0 ? errno : 0;
}

static int try_shmget(void) {
    return syscall(SYS_shmget, 0x6e6f6e6fL, 1L, 0L) < 0 ? errno : 0;
}

/* What a layer closed stays closed; what is said is what all layers leave open. */
static void options_only_narrow(void) {
    NonoSandboxStatus before = status();
    CHECK(before.layers == 0 && before.allowed == 0 && before.unenforced == 0 && before.landlock_abi == 0);
    CHECK(before.network_mode == NONO_NETWORK_MODE_ALLOW_ALL && !before.no_new_privs && before.seccomp_mode == 0);
    apply_allowing(NONO_ALLOW_KEYRINGS | NONO_ALLOW_SYSV_IPC | NONO_ALLOW_SIGNALS, NULL);
    CHECK(try_keyctl() != EPERM && try_shmget() == ENOENT && kill(getppid(), 0) == 0);
    CHECK_INT(status().allowed, NONO_ALLOW_KEYRINGS | NONO_ALLOW_SYSV_IPC | NONO_ALLOW_SIGNALS);
    apply_allowing(NONO_ALLOW_SYSV_IPC | NONO_ALLOW_BPF, use_proxy);
    CHECK(try_keyctl() == EPERM && try_shmget() == ENOENT && kill(getppid(), 0) == -1 && errno == EPERM);
    NonoSandboxStatus now = status();
    CHECK(now.allowed == NONO_ALLOW_SYSV_IPC && now.layers == 2 && now.no_new_privs && now.seccomp_mode == 2);
    CHECK(now.network_mode == NONO_NETWORK_MODE_PROXY_ONLY && !now.unix_sockets_blocked && !now.is_incomplete);
    CHECK_INT(now.landlock_abi, nono_sandbox_used_abi());
    apply_allowing(NONO_ALLOW_KEYRINGS | NONO_ALLOW_SYSV_IPC | NONO_ALLOW_SIGNALS, block_network);
    CHECK(try_keyctl() == EPERM && try_shmget() == ENOENT && kill(getppid(), 0) == -1);
    CHECK_INT(status().network_mode, NONO_NETWORK_MODE_BLOCKED);
    apply_allowing(0, block_sockets);
    CHECK(try_shmget() == EPERM && status().allowed == 0 && status().unix_sockets_blocked);
    apply_allowing(~UINT64_C(0) >> 50, use_proxy);
    now = status();
    CHECK(try_keyctl() == EPERM && try_shmget() == EPERM);
    CHECK(now.allowed == 0 && now.layers == 5 && now.unix_sockets_blocked);
    CHECK(now.network_mode == NONO_NETWORK_MODE_BLOCKED && (now.unenforced & NONO_UNENFORCED_METADATA) != 0);
}

/* A child has its parent's sandbox, and knows of it. */
static void status_in_child(void) {
    apply(caps_with_path("a", READ));
    pid_t child = fork();
    if (child == 0) {
        NonoSandboxStatus found = {.struct_size = sizeof found};
        _exit(nono_sandbox_status(&found) == NONO_ERROR_CODE_OK && found.layers == 1 ? 0 : 1);
    }
    int ended = -1;
    CHECK(waitpid(child, &ended, 0) == child && ended == 0);
}

static void layers(void) {
    if (!has_landlock(3)) {
        return;
    }
    make_tree();
    in_child(narrowing);
    make_file("secret", "secret");
    in_child(too_many);
    in_child(status_in_child);
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
        make_tree();
        in_child(signals);
        in_child(options_only_narrow);
    }
}

static const struct test tests[] = {{"layers", layers}, {"threads", threads}, {"scopes", signal_scope}};

CHECK_MAIN("layers", tests)
