/* SPDX-License-Identifier: Apache-2.0
 *
 * What the floors share. A floor is the least work in C that gives the same answer as a function of the library: what
 * is slower than it is ours, what is not is the kernel's. */
#ifndef NONO_BENCH_FLOOR_H
#define NONO_BENCH_FLOOR_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What openat2(2) is given; the build host's headers may lack it. */
struct open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};
#define SYS_OPENAT2 437
#define RESOLVE_NO_SYMLINKS 0x04

static inline int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int by_value(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static inline double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* Ends the program: a floor that does not do its work measures nothing. */
static inline void require(int condition, const char *what) {
    if (!condition) {
        perror(what);
        exit(1);
    }
}

/* Writes one member of the JSON object that a floor prints. */
static inline void report(const char *row, double microseconds) {
    static int is_first = 1;
    printf("%s\"%s\": %.4f", is_first ? "{" : ", ", row, microseconds);
    is_first = 0;
}

/* How long an operation takes that can be done once in a process only: the median of so many children. */
static inline double median_in_children(void operation(void *), void *argument, size_t times) {
    double *results = calloc(times, sizeof *results);
    require(results != NULL, "calloc");
    for (size_t i = 0; i < times; i++) {
        int ends[2];
        int64_t elapsed = 0;
        require(pipe(ends) == 0, "pipe");
        pid_t child = fork();
        require(child >= 0, "fork");
        if (child == 0) {
            int64_t start = nanoseconds();
            operation(argument);
            elapsed = nanoseconds() - start;
            _exit(write(ends[1], &elapsed, sizeof elapsed) == sizeof elapsed ? 0 : 1);
        }
        close(ends[1]);
        require(read(ends[0], &elapsed, sizeof elapsed) == sizeof elapsed, "the child");
        close(ends[0]);
        waitpid(child, NULL, 0);
        results[i] = (double)elapsed / 1000;
    }
    double result = median(results, times);
    free(results);
    return result;
}

#endif
