/* SPDX-License-Identifier: Apache-2.0
 *
 * What it takes to apply a sandbox with so many threads: prints the microseconds that nono_sandbox_apply() took.
 *
 *     apply_cost DIRECTORY THREADS
 *
 * The other threads wait, as those of a pool do. */
#define _GNU_SOURCE
#include <nono.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t started;

static void *wait_for_ever(void *argument) {
    pthread_barrier_wait(&started);
    for (;;) {
        pause();
    }
    return argument;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

int main(int count, char **arguments) {
    if (count < 3) {
        return 2;
    }
    unsigned threads = (unsigned)atoi(arguments[2]);
    pthread_barrier_init(&started, NULL, threads);
    for (unsigned i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0) {
            return 1;
        }
    }
    pthread_barrier_wait(&started);
    usleep(1000); /* until they wait */

    struct NonoCapabilitySet *caps = nono_capability_set_new();
    if (nono_capability_set_allow_path(caps, arguments[1], NONO_ACCESS_MODE_READ) != NONO_ERROR_CODE_OK ||
        nono_capability_set_set_network_blocked(caps, true) != NONO_ERROR_CODE_OK) {
        return 1;
    }
    double before = now();
    if (nono_sandbox_apply(caps) != NONO_ERROR_CODE_OK) {
        fprintf(stderr, "%s\n", nono_last_error());
        return 1;
    }
    printf("%.1f\n", now() - before);
    fflush(stdout);
    _exit(0);
}
