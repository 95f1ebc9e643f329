/* SPDX-License-Identifier: Apache-2.0
 *
 * The other threads of the process: which there are (thread_list.c), the signal for them (stop_signal.c), and stopping
 * them (threads.c). System calls and memory of our own only, since a stopped thread may hold any lock. Not installed.
 */
#ifndef NONO_THREADS_H
#define NONO_THREADS_H

#include "nono_restrict.h"

/* Whether this is the only thread of the process. May be false though it is. */
bool nono_sys_is_single_threaded(void);
/* How many threads the process has, this one included; 0 if there is no /proc. */
uint32_t nono_sys_thread_count(void);
bool nono_sys_thread_exists(int thread);
/* Writes the name, terminated; "" if it is unknown. */
void nono_sys_thread_name(int thread, char *name, size_t size);

enum nono_sys_thread_kind {
    NONO_SYS_THREAD_RUNS,
    NONO_SYS_THREAD_INERT, /* listed, but runs nothing of the program */
    NONO_SYS_THREAD_GONE
};
enum nono_sys_thread_kind nono_sys_thread_kind(int thread);

/* Calls the visitor for every other thread, though it may miss some that are there. What the visitor returns other than
 * 0 ends it and is returned. A visitor must return no negative value. */
typedef int (*nono_sys_thread_visitor)(int thread, void *argument);
int nono_sys_visit_threads(nono_sys_thread_visitor visit, void *argument);

/* Installs our handler for the signal. Returns 0 or an errno. */
int nono_sys_take_stop_signal(void);
/* Puts the handler back that was there before. */
void nono_sys_give_stop_signal_back(void);
/* Sends the signal to a thread, with a value for its handler. Returns 0 or an errno. */
int nono_sys_send_stop_signal(int thread, uintptr_t value);
/* What the handler does, with that value. */
void nono_sys_on_stop_signal(uintptr_t value);

/* Stops all other threads. Returns true when all of them stand still, until nono_sys_resume_threads(). Otherwise all of
 * them run again, and *outcome tells why. In between the caller must take no lock and allocate nothing. */
bool nono_sys_stop_threads(struct nono_sys_outcome *outcome);
/* Lets them go on, each after `restriction` unless that is NULL, and waits until they have. If that fails in one of
 * them, *outcome tells it of the first. */
void nono_sys_resume_threads(const struct nono_sys_restriction *restriction, struct nono_sys_outcome *outcome);

#endif
