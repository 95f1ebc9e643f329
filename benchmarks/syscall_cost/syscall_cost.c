/* SPDX-License-Identifier: Apache-2.0
 *
 * What system calls cost: prints, for each call, the nanoseconds that one takes, as "name value" a line.
 *
 *     syscall_cost FILE outside|filter|inside
 *
 * "inside" grants the directory of FILE, blocks the network and applies first. "filter" installs the smallest
 * seccomp(2) filter there is, which allows everything: what remains between the two is ours. Each value is the least of
 * many short runs: what disturbs a run only makes it longer. */
#define _GNU_SOURCE
#include <nono.h>

#include <fcntl.h>
#include <libgen.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *granted_file;
static int zero;
static int stream;

static void expect(bool holds, const char *what) {
    if (!holds) {
        perror(what);
        exit(1);
    }
}

static void call_getpid(void) {
    syscall(SYS_getpid);
}

static void call_read(void) {
    char byte;
    expect(read(zero, &byte, 1) == 1, "read");
}

static void call_open_and_close(void) {
    int fd = open(granted_file, O_RDONLY | O_CLOEXEC);
    expect(fd >= 0, "open");
    close(fd);
}

static void call_fork_and_wait(void) {
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    expect(child > 0 && waitpid(child, NULL, 0) == child, "fork");
}

static void call_ioctl(void) {
    int available;
    expect(ioctl(stream, FIONREAD, &available) == 0, "ioctl");
}

static void call_socketpair(void) {
    int pair[2];
    expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
    close(pair[0]);
    close(pair[1]);
}

static const struct {
    const char *name;
    void (*call)(void);
    int repetitions; /* in one run, which should take much less than a time slice */
} calls[] = {
    {"getpid", call_getpid, 2000},        {"read", call_read, 2000},   {"openat+close", call_open_and_close, 500},
    {"fork+wait", call_fork_and_wait, 4}, {"ioctl", call_ioctl, 2000}, {"socketpair+close", call_socketpair, 200},
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double measure(void (*call)(void), int repetitions) {
    double least = 1e18;
    double end = now() + 40e6;
    do {
        double started = now();
        for (int i = 0; i < repetitions; i++) {
            call();
        }
        double taken = (now() - started) / repetitions;
        least = taken < least ? taken : least;
    } while (now() < end);
    return least;
}

static void install_empty_filter(void) {
    struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
    struct sock_fprog program = {.len = 1, .filter = &allow};
    expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
           "prctl");
}

static void apply(const char *directory) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    if (nono_capability_set_allow_path(caps, directory, NONO_ACCESS_MODE_READ) != NONO_ERROR_CODE_OK ||
        nono_capability_set_set_network_blocked(caps, true) != NONO_ERROR_CODE_OK ||
        nono_sandbox_apply(caps) != NONO_ERROR_CODE_OK) {
        fprintf(stderr, "%s\n", nono_last_error());
        exit(1);
    }
    nono_capability_set_free(caps);
}

int main(int count, char **arguments) {
    if (count < 3) {
        return 2;
    }
    granted_file = arguments[1];
    int ends[2];
    zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    expect(zero >= 0 && pipe(ends) == 0, "set-up");
    stream = ends[0];
    if (strcmp(arguments[2], "filter") == 0) {
        install_empty_filter();
    } else if (strcmp(arguments[2], "inside") == 0) {
        char *copy = strdup(granted_file);
        apply(dirname(copy));
        free(copy);
    }
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        printf("%s %.1f\n", calls[i].name, measure(calls[i].call, calls[i].repetitions));
    }
}
