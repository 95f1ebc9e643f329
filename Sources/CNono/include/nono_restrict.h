/* SPDX-License-Identifier: Apache-2.0
 *
 * Restricting all threads of the process at once (restrict.c, capabilities.c). Not installed. */
#ifndef NONO_RESTRICT_H
#define NONO_RESTRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One instruction of a seccomp program: struct sock_filter of <linux/filter.h>. */
struct nono_sys_instruction {
    uint16_t code;
    uint8_t jump_true;
    uint8_t jump_false;
    uint32_t operand;
};

/* Room for a program, which takes no memory but its own. */
enum { NONO_SYS_LONGEST_PROGRAM = 256 };
struct nono_sys_program {
    uint16_t length;
    struct nono_sys_instruction instructions[NONO_SYS_LONGEST_PROGRAM];
};

/* What is to be put in force. Everything in it is ready: nothing is allocated while threads stand still. */
struct nono_sys_restriction {
    int ruleset;
    bool shares_domain; /* Landlock ABI 8 and newer: one call restricts all threads, into one domain */
    const struct nono_sys_instruction *program;
    uint16_t program_length;
    uint64_t dropped_capabilities; /* one bit for each, capabilities(7) */
    unsigned forks;                /* nono_sys_forks() before the ruleset was made; for nono_sys_restrict() */
};

enum nono_sys_stage {
    NONO_SYS_STAGE_DONE,
    NONO_SYS_STAGE_COMMANDS, /* commands run in sandboxes of their own */
    NONO_SYS_STAGE_RULESETS, /* of sandboxes that another process has too */
    NONO_SYS_STAGE_NO_NEW_PRIVS,
    NONO_SYS_STAGE_LIST_THREADS,
    NONO_SYS_STAGE_STOP_THREAD, /* a thread did not answer */
    NONO_SYS_STAGE_SECCOMP,
    NONO_SYS_STAGE_LANDLOCK,
    NONO_SYS_STAGE_CAPABILITIES
};

struct nono_sys_outcome {
    int stage;          /* the stage that failed, or DONE */
    int error;          /* its errno */
    int thread;         /* the thread that it failed for; 0 for the caller */
    char name[16];      /* that thread's name, "" if unknown */
    bool is_incomplete; /* some threads are restricted and some are not, or not by all means */
};

/* Restricts every thread of the process: no_new_privs, seccomp(2), Landlock, capabilities. Other threads are stopped
 * first, and nothing is restricted unless all of them have stopped. */
void nono_sys_restrict(const struct nono_sys_restriction *restriction, struct nono_sys_outcome *outcome);

/* Between these, no thread of the program forks. Not for long. */
void nono_sys_hold_forks(void);
void nono_sys_release_forks(void);
/* How often it has, by libc. */
unsigned nono_sys_forks(void);
/* How many processes share the memory of this one and would stay as they are (registry.c). */
int nono_sys_sharers(void);
/* Gives up what this process has in common with its parent or with forked children: a restricted one could change what
 * the other does by it. Sandboxes that both have are of no use here any more. Returns 0 or -errno (pool.c). */
int nono_sys_leave_others(void);
/* Ends those that wait for the next command in a prepared sandbox (pool.c). */
void nono_sys_end_idle_slots(void);

/* What each thread does for itself; async-signal-safe. Both return 0 or -errno. */
int nono_sys_restrict_thread_landlock(const struct nono_sys_restriction *restriction);
int nono_sys_drop_capabilities(uint64_t dropped);

#endif
