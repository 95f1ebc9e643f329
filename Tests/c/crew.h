/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads for the tests of sandboxes: a crew that waits, each member in its way, until it is asked what it can do. */
#ifndef NONO_CREW_H
#define NONO_CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "support.h"

enum { MOST_MEMBERS = 64 };
/* How many layers apply_again_and_again() adds. */
enum { LAYERS = 8 };

/* What a member does until it is asked. The last two block every signal that a program can block. */
enum way { READS, POLLS, SLEEPS, WAITS_ON_FUTEX, SUSPENDS, SPINS, ALLOCATES, BLOCKS_SIGNALS, WAITS_FOR_SIGNAL, WAYS };

struct member {
    struct crew *crew;
    pthread_t thread;
    _Atomic pid_t id;
    enum way way;
    int error; /* of reading "secret" when it was asked */
};

struct crew {
    int count;
    struct member members[MOST_MEMBERS];
    int pipe[2];
    atomic_int ready;
    atomic_int answered;
    atomic_bool asked;
};

/* Starts members and waits until they have begun; what `way` is to a member, WAYS spreads over them. */
void crew_start(struct crew *crew, int count, enum way way);
/* Asks everybody to read the file "secret" of the working directory, ends the threads, and returns how many read it. */
int crew_ask(struct crew *crew);
/* The same, and checks that nobody could, or everybody. */
void crew_check_restricted(struct crew *crew);
void crew_check_free(struct crew *crew);

/* Applies several layers that grant the directory "d" and nothing else. */
void apply_again_and_again(void);
/* Checks that the caller is in such a layer: it can read "d/f" and not "secret". */
void check_restricted(void);

#endif
