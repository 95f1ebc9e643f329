/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding every thread: without a list of them, with a wrong one, and with threads that run nothing of the program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crew.h"

enum { READ_WRITE = 2 };

static struct crew crew;

static void apply_here(void) {
    apply(caps_with_path("d", READ_WRITE));
    CHECK_INT(try_read("secret"), EACCES);
    CHECK_INT(try_read("d/f"), 0);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Within a sandbox that does not grant /proc, threads are found by their numbers. */
static void without_list(void) {
    crew_start(&crew, 20, WAYS);
    apply_here();
    CHECK_INT(try_list("/proc/self/task"), EACCES);
    double start = seconds();
    apply(caps_with_path("e", READ_WRITE));
    double needed = seconds() - start;
    CHECK_INT(try_read("d/f"), EACCES);
    CHECK(needed < 2.0);
    crew_check_restricted(&crew);
}

/* Nor is there any /proc: how many threads there are is not known either. */
static void without_proc(void) {
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        umount2("/proc", MNT_DETACH) != 0) {
        check_skip("cannot unmount /proc");
        return;
    }
    CHECK_INT(access("/proc/self", F_OK), -1);
    crew_start(&crew, 9, WAYS);
    apply_here();
    crew_check_restricted(&crew);
}

/* A /proc with the numbers of another PID namespace. */
static void apply_in_namespace(void) {
    crew_start(&crew, 9, WAYS);
    apply_here();
    crew_check_restricted(&crew);
}

static void with_foreign_proc(void) {
    if (unshare(CLONE_NEWPID) != 0) {
        check_skip("cannot make a PID namespace");
        return;
    }
    in_child(apply_in_namespace);
}

/* A thread whose vfork()ed child has not started its program takes no signal; it is waited for. */
static void *vfork_for_a_while(void *argument) {
    pid_t child = vfork();
    if (child == 0) {
        syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = 500000000}, NULL);
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, NULL, 0) == child);
    CHECK_INT(try_read("secret"), EACCES);
    return argument;
}

static void during_vfork(void) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, vfork_for_a_while, NULL), 0);
    usleep(100000);
    apply_here();
    CHECK_INT(pthread_join(thread, NULL), 0);
}

/* A kernel thread that polls a queue keeps the rights with which the queue was made, so it must not be there. */
static void with_polling_queue(void) {
    struct io_uring_params params = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 100000};
    int queue = (int)syscall(SYS_io_uring_setup, 4, &params);
    if (queue < 0) {
        check_skip("no io_uring with a polling thread");
        return;
    }
    struct NonoCapabilitySet *caps = caps_with_path("d", READ_WRITE);
    CHECK_INT(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT);
    char *message = nono_last_error();
    CHECK(message != NULL && strstr(message, " (iou-sqp-") != NULL);
    nono_string_free(message);
    CHECK_INT(try_read("secret"), 0);
    close(queue);
    /* It ends a little later. */
    int error = NONO_ERROR_CODE_ERR_SANDBOX_INIT;
    for (int i = 0; i < 5 && error != NONO_ERROR_CODE_OK; i++) {
        error = nono_sandbox_apply(caps);
    }
    CHECK_INT(error, NONO_ERROR_CODE_OK);
    nono_capability_set_free(caps);
}

/* The kernel's workers, on the other hand, do each thing with the rights of whoever asked for it. */
static void with_queue_worker(void) {
    struct io_uring_params params = {0};
    int queue = (int)syscall(SYS_io_uring_setup, 4, &params);
    if (queue < 0) {
        check_skip("no io_uring");
        return;
    }
    int pipes[2];
    static char byte;
    CHECK_INT(pipe2(pipes, O_CLOEXEC), 0);
    unsigned *ring = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, queue,
                          (off_t)IORING_OFF_SQ_RING);
    struct io_uring_sqe *entries = mmap(NULL, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED,
                                        queue, (off_t)IORING_OFF_SQES);
    CHECK(ring != MAP_FAILED && entries != MAP_FAILED);
    entries[0] = (struct io_uring_sqe){
        .opcode = IORING_OP_READ, .flags = IOSQE_ASYNC, .fd = pipes[0], .addr = (uintptr_t)&byte, .len = 1};
    ring[params.sq_off.array / 4] = 0;
    ring[params.sq_off.tail / 4] = 1;
    CHECK_INT(syscall(SYS_io_uring_enter, queue, 1, 0, 0, NULL, 0), 1);
    usleep(20000);
    double start = seconds();
    apply_here();
    CHECK(seconds() - start < 1.0);
}

static void lists(void) {
    static void (*const bodies[])(void) = {without_list, without_proc,       with_foreign_proc,
                                           during_vfork, with_polling_queue, with_queue_worker};
    if (!has_landlock(3)) {
        return;
    }
    make_directory("d");
    make_directory("e");
    make_file("d/f", "contents");
    make_file("secret", "secret");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        in_child(bodies[i]);
    }
}

static const struct test tests[] = {{"lists", lists}};

CHECK_MAIN("thread_list", tests)
