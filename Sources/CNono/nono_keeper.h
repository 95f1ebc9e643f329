/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program, the keeper and the child before exec share: one block of memory. Each field has one writer, and is
 * read by another process only after a system call that comes behind the write (a byte in a pipe, the end of a vfork).
 */
#ifndef NONO_KEEPER_H
#define NONO_KEEPER_H

#include <pthread.h>

#include "nono_launch.h"

/* What the keeper is told: to end everything, or the number of a signal for the command. */
enum { NONO_KEEPER_END = 0 };

/* The command, as the child before exec needs it. */
struct nono_sys_command {
    struct nono_sys_launch launch;
    struct nono_sys_restriction restriction;
    char **argv;
    char **envp;
    int keeper;
    /* Written by the child. */
    int stage;
    int detail;
    int error;
};

struct nono_sys_process {
    struct nono_sys_command command;
    int caller; /* the program's process */
    int tell;   /* the keeper's end of the pipe that gets a byte when the command runs, or has failed to; or -1 */
    int hear;   /* its end of the pipe for orders */
    /* Written by the keeper. */
    int pid;
    int stage; /* as in nono_sys_command */
    int error;
    int status;
    int cause;
    bool is_reaped; /* the command's number may belong to another process */
    bool leaves_survivors;
    bool is_done; /* all of the above is true */
    /* The program's alone. */
    int keeper;  /* a pidfd, and so what polls as readable at the end */
    int started; /* the program's end of each pipe; -1 for none */
    int orders;
    pthread_mutex_t listening;
    bool has_ended;
    size_t size; /* of the block */
    char *stack_end;
};

#define NONO_KEEPER_STACK 32768

/* The keeper's life, argument is a struct nono_sys_process. */
int nono_keeper_run(void *argument) __attribute__((visibility("hidden")));
/* The child's until exec, argument is a struct nono_sys_command. Returns only if something failed. */
int nono_command_run(void *argument) __attribute__((visibility("hidden")));

#endif
