/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes down what nono_sandbox_apply() tells the kernel, so that the floor can tell it the same: a library for
 * LD_PRELOAD that stands before libc's syscall() and prctl(), through which libnono makes these calls. A line for each
 * call is added to the file that NONO_BENCH_RECORDING names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SET_MODE_FILTER = 1, CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, LONGEST_LINE = 1 << 16 };

struct program {
    unsigned short length;
    const uint64_t *instructions;
};

static char line[LONGEST_LINE];
static size_t length;
static int recording = -1;
static pid_t process;

static void remember_process(void) {
    process = getpid();
}

/* apply_nono applies in a child made by fork(); the handler does not run in one made by clone(2). */
__attribute__((constructor)) static void begin_recording(void) {
    if (pthread_atfork(NULL, NULL, remember_process) != 0) {
        abort();
    }
}

/* Opened at the first call: later ones may be made within the sandbox. */
static void write_line(void) {
    if (recording < 0) {
        recording = open(getenv("NONO_BENCH_RECORDING"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    line[length++] = '\n';
    if (write(recording, line, length) != (ssize_t)length) {
        abort();
    }
    length = 0;
}

static void add(uint64_t value) {
    length += (size_t)snprintf(line + length, LONGEST_LINE - length, " %llx", (unsigned long long)value);
}

static void begin(const char *name) {
    length = (size_t)snprintf(line, LONGEST_LINE, "%s", name);
}

static void record(long number, const long a[6]) {
    uint64_t words[3] = {0};
    switch (number) {
    case CREATE_RULESET:
        begin(a[0] == 0 ? "version" : "ruleset");
        memcpy(words, a[0] == 0 ? (const void *)words : (const void *)a[0], a[0] == 0 ? 0 : (size_t)a[1]);
        add((uint64_t)a[1]);
        for (int i = 0; i < 3; i++) {
            add(words[i]);
        }
        break;
    case ADD_RULE:
        begin("rule");
        memcpy(words, (const void *)a[2], sizeof words[0]);
        add(words[0]);
        break;
    case RESTRICT_SELF:
        /* With threads, a child that shares our memory tries first; the floor has none, and knows no "trial". */
        begin(getpid() == process ? "restrict" : "trial");
        add((uint64_t)a[1]);
        break;
    case SYS_seccomp: {
        const struct program *program = (const void *)a[2];
        if (a[0] != SET_MODE_FILTER) {
            uint32_t action;
            memcpy(&action, (const void *)a[2], sizeof action);
            begin("action");
            add((uint64_t)a[0]);
            add(action);
            break;
        }
        begin("seccomp");
        add((uint64_t)a[1]);
        add(program->length);
        for (int i = 0; i < program->length; i++) {
            add(program->instructions[i]);
        }
        break;
    }
    case SYS_capget:
        begin("capget");
        break;
    case SYS_capset: {
        uint32_t data[6];
        memcpy(data, (const void *)a[1], sizeof data);
        begin("capset");
        for (int i = 0; i < 6; i++) {
            add(data[i]);
        }
        break;
    }
    default:
        return;
    }
    write_line();
}

static void *next(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) {
        abort();
    }
    return symbol;
}

long syscall(long number, ...) {
    long (*real)(long, ...);
    void *symbol = next("syscall");
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(arguments, long);
    }
    va_end(arguments);
    memcpy(&real, &symbol, sizeof real);
    record(number, a);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int prctl(int option, ...) {
    int (*real)(int, ...);
    void *symbol = next("prctl");
    unsigned long a[4];
    va_list arguments;
    va_start(arguments, option);
    for (int i = 0; i < 4; i++) {
        a[i] = va_arg(arguments, unsigned long);
    }
    va_end(arguments);
    memcpy(&real, &symbol, sizeof real);
    begin("prctl");
    add((uint64_t)option);
    add(a[0]);
    write_line();
    return real(option, a[0], a[1], a[2], a[3]);
}

int unshare(int flags) {
    int (*real)(int);
    void *symbol = next("unshare");
    memcpy(&real, &symbol, sizeof real);
    begin("unshare");
    add((uint64_t)flags);
    write_line();
    return real(flags);
}
