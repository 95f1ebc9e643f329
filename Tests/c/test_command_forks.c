/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that runs commands and forks: what a child has of its parent's commands and sandboxes, and the parent of
 * the child's, above all when one of them restricts itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "support.h"
#include "takeover.h"

enum { READ = 0 };

static struct NonoPreparedSandbox *shared_sandbox;
static struct ranges parents_ranges;

/* Adds a rule for everything to whatever takes one. */
static int widen_rulesets(void) {
    struct {
        uint64_t rights;
        int32_t object;
    } __attribute__((packed)) rule = {0xc, open("/", O_PATH | O_CLOEXEC)};
    int widened = 0;
    for (int fd = 0; fd < 256; fd++) {
        widened += syscall(445 /* landlock_add_rule */, fd, 1, &rule, 0) == 0;
    }
    close(rule.object);
    return widened;
}

static int count_order_channels(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        int type = 0;
        socklen_t size = sizeof type;
        count += getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
    }
    return count;
}

static void restricted_worker(void) {
    apply(narrow_caps());
    CHECK_INT(try_read("secret"), EACCES);
    redirect(&parents_ranges);
    CHECK_INT(widen_rulesets(), 0);
    CHECK_INT(count_order_channels(), 0);
    /* What its parent prepared is of no use to it any more. */
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = NULL;
    FAILS(nono_sandbox_spawn(shared_sandbox, ARGV("/bin/true"), &options, &process), NONO_ERROR_CODE_ERR_IO, IO_ERROR,
          .os_error = EBADFD,
          .message = "sandbox apply failed: Landlock: File descriptor in bad state (os error 77); "
                     "prepare the sandbox again, which apply() gave up because a forked process has it too");
    /* But what it prepares itself is. */
    struct NonoPreparedSandbox *own = system_sandbox();
    run_true(own);
    run_true(own);
    nono_prepared_sandbox_free(own);
}

static const char *read_secret(const struct NonoPreparedSandbox *sandbox) {
    struct NonoSpawnOptions options = piped();
    struct finished result = finish(start(sandbox, ARGV("/bin/cat", "secret"), &options), NULL);
    const char *output = text("%s", result.output);
    free_finished(&result);
    return output;
}

/* Everything but the working directory. */
static struct NonoPreparedSandbox *sandbox_without_secret(void) {
    static const char *const directories[] = {"/usr", "/lib", "/lib64", "/bin", "d"};
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        (void)nono_capability_set_allow_path(caps, directories[i], READ);
    }
    struct NonoPreparedSandbox *sandbox = NULL;
    CHECK_OK(nono_sandbox_prepare(caps, NULL, &sandbox));
    nono_capability_set_free(caps);
    return sandbox;
}

static void test_restricted_workers(void) {
    make_secret();
    secret = strdup(absolute("secret"));
    shared_sandbox = sandbox_without_secret();
    struct NonoSpawnOptions options = piped();
    for (int i = 0; i < 3; i++) {
        CHECK_TEXT(read_secret(shared_sandbox), "");
    }
    /* By a keeper of its own, and in the slot. */
    struct NonoPreparedSandbox *other = system_sandbox();
    struct NonoProcess *alone = start(other, ARGV("/bin/sleep", "1000"), &options);
    struct NonoProcess *in_slot = start(shared_sandbox, ARGV("/bin/sleep", "1000"), &options);
    parents_ranges = find_ranges();
    CHECK(parents_ranges.count > 0);
    in_child(restricted_worker);
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    CHECK_OK(nono_process_wait(alone, 0, &status));
    CHECK(!status.has_ended);
    CHECK_OK(nono_process_wait(in_slot, 0, &status));
    CHECK(!status.has_ended);
    nono_process_free(alone);
    nono_process_free(in_slot);
    CHECK_TEXT(read_secret(shared_sandbox), "");
    nono_prepared_sandbox_free(other);
    nono_prepared_sandbox_free(shared_sandbox);
    CHECK_TEXT(stolen, "");
    free((char *)secret);
}

/* The other way round: what the parent does after it has restricted itself is nothing to its children. */
static void restricted_parent(void) {
    struct NonoPreparedSandbox *sandbox = sandbox_without_secret();
    int go[2];
    char byte = 0;
    CHECK_INT(pipe(go), 0);
    int child = fork();
    if (child == 0) {
        bool is_told = read(go[0], &byte, 1) == 1;
        _exit(is_told && strcmp(read_secret(sandbox), "") == 0 && try_read("secret") == 0 ? 0 : 1);
    }
    apply(narrow_caps());
    CHECK_INT(widen_rulesets(), 0);
    CHECK_INT(write(go[1], &byte, 1), 1);
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    nono_prepared_sandbox_free(sandbox);
}

static void test_restricted_parents(void) {
    make_secret();
    in_child(restricted_parent);
}

enum { MANY = 1000 };

static void *prepare_many(void *caps) {
    struct NonoPreparedSandbox *sandbox = NULL;
    CHECK_OK(nono_sandbox_prepare(caps, NULL, &sandbox));
    return sandbox;
}

static void restricted_and_widening(void) {
    apply(narrow_caps());
    CHECK_INT(widen_rulesets(), 0);
}

/* A fork while another thread gives the kernel the rules of a sandbox. */
static void test_forks_while_a_sandbox_is_prepared(void) {
    make_secret();
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path(caps, "/usr", READ));
    make_directory("many");
    for (int i = 0; i < MANY; i++) {
        make_directory(text("many/%d", i));
        CHECK_OK(nono_capability_set_allow_path(caps, text("many/%d", i), READ));
    }
    for (int i = 0; i < 10; i++) {
        const struct timespec moment = {.tv_nsec = 200000 * (i + 1)};
        pthread_t thread;
        void *sandbox = NULL;
        CHECK_INT(pthread_create(&thread, NULL, prepare_many, caps), 0);
        nanosleep(&moment, NULL);
        in_child(restricted_and_widening);
        CHECK_INT(pthread_join(thread, &sandbox), 0);
        CHECK_TEXT(read_secret(sandbox), "");
        nono_prepared_sandbox_free(sandbox);
    }
    nono_capability_set_free(caps);
}

/* A child that libc knows nothing of has all descriptors. */
static int fork_without_libc(void) {
    return (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void order_by_socket(void) {
    int fds[5];
    char byte = 0;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fds)] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    for (int i = 0; i < 5; i++) {
        fds[i] = open("d/f", O_RDONLY);
    }
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(header), fds, sizeof fds);
    for (int fd = 0; fd < 256; fd++) {
        int type = 0;
        socklen_t size = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET) {
            (void)sendmsg(fd, &message, MSG_NOSIGNAL);
        }
    }
}

static void test_children_without_libc(void) {
    make_secret();
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    for (int i = 0; i < 3; i++) {
        struct finished result = finish(start(sandbox, ARGV("/bin/sh", "-c", "echo x >>d/count"), &options), NULL);
        free_finished(&result);
    }
    CHECK_INT(try_append("d/count"), 0);
    int child = fork_without_libc();
    if (child == 0) {
        order_by_socket();
        syscall(SYS_pause);
    }
    const struct timespec while_it_could_run = {.tv_nsec = 200000000};
    nanosleep(&while_it_could_run, NULL);
    struct finished result = finish(start(sandbox, ARGV("/bin/sh", "-c", "cat d/count"), &options), NULL);
    CHECK(strncmp(result.output, "x\nx\nx\n", 6) == 0 && strncmp(result.output + 6, "x\n", 2) != 0);
    free_finished(&result);
    /* That it has the other end of a pipe too keeps nothing from ending. */
    nono_prepared_sandbox_free(sandbox);
    CHECK_INT(waitpid(child, NULL, WNOHANG), 0);
    CHECK_INT(kill(child, SIGKILL), 0);
    CHECK_INT(waitpid(child, NULL, 0), child);
}

static void with_a_parents_command(void *argument) {
    struct NonoProcess *process = argument;
    static const char others[] = "the command was started by another process, which this one was forked from";
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    struct NonoOutput output = {.struct_size = sizeof output};
    CHECK_OK(nono_process_wait(process, 0, &status));
    CHECK(!status.has_ended && status.pid == 0);
    FAILS_ARGUMENT(nono_process_wait(process, -1, &status), others);
    FAILS_ARGUMENT(nono_process_communicate(process, NULL, &output), others);
    FAILS_ARGUMENT(nono_process_signal(process, SIGTERM), others);
    CHECK_OK(nono_process_kill(process));
    CHECK_INT(nono_process_descriptor(process), -1);
    nono_process_free(process);
}

static void test_commands_of_a_parent(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    for (int i = 0; i < 3; i++) {
        struct NonoProcess *process = start(sandbox, ARGV("/bin/sleep", "1000"), &options);
        struct NonoProcessStatus status = {.struct_size = sizeof status};
        in_child_with(with_a_parents_command, process);
        CHECK_OK(nono_process_wait(process, 0, &status));
        CHECK(!status.has_ended && kill(status.pid, 0) == 0);
        nono_process_free(process);
    }
    nono_prepared_sandbox_free(sandbox);
}

static void *wait_long(void *process) {
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    int state;
    (void)nono_process_wait(process, INT64_C(200000000), &status);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return process;
}

static void test_cancelled_threads(void) {
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoSpawnOptions options = piped();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sleep", "1000"), &options);
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        void *result = NULL;
        const struct timespec moment = {.tv_nsec = 20000000};
        CHECK_INT(pthread_create(&thread, NULL, wait_long, process), 0);
        nanosleep(&moment, NULL);
        CHECK_INT(pthread_cancel(thread), 0);
        CHECK_INT(pthread_join(thread, &result), 0);
        CHECK(result == process);
        struct NonoProcessStatus status = {.struct_size = sizeof status};
        CHECK_OK(nono_process_wait(process, 0, &status));
        CHECK(!status.has_ended);
    }
    nono_process_free(process);
    nono_prepared_sandbox_free(sandbox);
}

static const struct test tests[] = {
    {"restricted workers", test_restricted_workers},
    {"restricted parents", test_restricted_parents},
    {"forks while a sandbox is prepared", test_forks_while_a_sandbox_is_prepared},
    {"children without libc", test_children_without_libc},
    {"commands of a parent", test_commands_of_a_parent},
    {"cancelled threads", test_cancelled_threads},
};

COMMANDS_MAIN("command_forks", 1, tests)
