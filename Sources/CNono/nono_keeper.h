/* SPDX-License-Identifier: Apache-2.0
 *
 * What the program, the keeper and the child before exec share: one block of memory with a task in it. Each field has
 * one writer, and is read by another process only after a system call that comes behind the write (a byte in a pipe,
 * the end of a vfork or of a process). What is the program's alone is elsewhere.
 *
 * A forked child of the program may restrict itself, and must not be able to do anything then to what its parent has:
 * it gets copies of such memory or none, and gives up the descriptors (registry.c). */
#ifndef NONO_KEEPER_H
#define NONO_KEEPER_H

#include <pthread.h>
#include <unistd.h>

#include "nono_launch.h"

#define NONO_HIDDEN __attribute__((visibility("hidden")))

/* What a keeper is told: to end everything, or the number of a signal for the command. */
enum { NONO_KEEPER_END = 0 };
/* What a template tells (template.c). */
enum { NONO_TEMPLATE_READY = 'R', NONO_TEMPLATE_STARTED = 'S', NONO_TEMPLATE_ENDED = 'E' };
/* Descriptors that go to a template with a command: standard streams, orders, the directory, control groups. */
enum { NONO_TEMPLATE_FDS = 5 + NONO_SYS_MOST_GROUPS };

/* The command, as the child before exec needs it. */
struct nono_sys_command {
    struct nono_sys_launch launch;
    struct nono_sys_restriction restriction;
    bool is_restricted; /* the child is born in its sandbox */
    int directory;      /* an open one to change to, or -1 */
    char **argv;
    char **envp;
    int keeper;
    int report; /* where a child with memory of its own tells what failed; or -1 */
    /* Written by the child. */
    int stage;
    int detail;
    int error;
};

/* A command, and what becomes of it. */
struct nono_sys_task {
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
    size_t size;  /* of the block */
};

/* The program's own view of it. */
struct nono_sys_process {
    struct nono_sys_task *task; /* in a slot, not there in forked children */
    struct nono_sys_pool *pool;
    struct nono_sys_slot *slot; /* NULL: the keeper is for this command only */
    int caller;                 /* the process that started it */
    int keeper;                 /* a pidfd, and so what polls as readable at the end; -1 with a slot */
    int started;                /* the program's ends of the pipes; -1 for none */
    int orders;
    int hear; /* the other ends, until the keeper or template has them */
    int tell;
    bool was_started; /* a keeper for this command only */
    pthread_mutex_t listening;
    bool has_started; /* told by a template */
    bool has_ended;
    struct nono_sys_process *next; /* of all that there are */
    struct nono_sys_process **link;
};

#define NONO_KEEPER_STACK 32768

/* The keeper's life; argument is a struct nono_sys_task. */
NONO_HIDDEN int nono_keeper_run(void *argument);
/* The child's until exec; argument is a struct nono_sys_command. Returns only if something failed. */
NONO_HIDDEN int nono_command_run(void *argument);

/* Restricts the process that calls it. Returns 0, or -errno and the stage that failed. */
NONO_HIDDEN long nono_command_restrict(const struct nono_sys_restriction *restriction, int *stage);

/* Parts of the keeper's work, for the guard and the template too (keeper.c). */

/* Makes the calling process one that adopts orphans, out of the program's process group and indifferent to how the
 * program handles SIGCHLD. Returns a pidfd of the program, or -errno. */
NONO_HIDDEN long nono_keeper_settle(int caller);

/* Closes every descriptor but these. Returns 0 or -errno. */
NONO_HIDDEN long nono_keeper_close_all_but(const int *kept, int count);
/* Enters a domain that scopes signals, and makes sure that it does: the caller is out of reach. */
NONO_HIDDEN long nono_keeper_enter_scope(int scope, int caller);
/* Starts the command, sees it to its end and ends all that it started. after_start is called in between. */
NONO_HIDDEN void nono_keeper_supervise(struct nono_sys_task *task, int caller_fd, const void *context,
                                       void (*after_start)(struct nono_sys_task *task, int caller_fd, int command_fd,
                                                           const void *context));

/* Starting a keeper or a guard (launch.c): a process on the program's memory, with all signals blocked, because no
 * handler of the program may run in it. Returns it, or -errno. */
NONO_HIDDEN long nono_keeper_start(char *stack_end, int *pidfd, int (*life)(void *), void *argument);

/* Counts keepers and guards: 1 before one is started, -1 when it has ended (registry.c). */
NONO_HIDDEN void nono_sharers_add(int count);
/* All processes of commands. Removing one closes its descriptors. */
NONO_HIDDEN void nono_registry_add(struct nono_sys_process *process);
NONO_HIDDEN void nono_registry_remove(struct nono_sys_process *process);
/* For the list of pools too; held across fork(), so that a child finds it free and the lists whole. */
NONO_HIDDEN void nono_registry_lock(void);
NONO_HIDDEN void nono_registry_unlock(void);

static inline void nono_close_if_open(int fd) {
    if (fd >= 0) {
        close(fd);
    }
}
NONO_HIDDEN void nono_close_and_forget(int *fd);
/* The same where no fork comes in between. */
NONO_HIDDEN void nono_registry_close(int *fd);

/* Blocks (block.c) */

/* A block with the task in it, and room for a stack behind that. NULL without memory. */
NONO_HIDDEN struct nono_sys_task *nono_block_make(const struct nono_sys_launch *launch, char **stack_end);
NONO_HIDDEN void nono_block_discard(struct nono_sys_task *task);
NONO_HIDDEN bool nono_block_fits(const struct nono_sys_launch *launch, size_t size);
/* Describes a command in a block in which it fits. */
NONO_HIDDEN struct nono_sys_task *nono_block_fill(void *block, const struct nono_sys_launch *launch);

/* Slots (slot.c, pool.c): a sandbox that stands ready, for one command after the other. */

enum { NONO_SLOT_BLOCK = 131072 };

/* The pages that the library is loaded in. */
struct nono_library {
    uintptr_t start, end;
};

struct nono_sys_slot {
    struct nono_sys_restriction restriction;
    int scope;
    int caller;
    int template_end; /* of the socket, the template's */
    int hear;         /* the guard's end of the pipe that closes with the program */
    /* Written by the guard. */
    int guard_number;
    /* The program's alone. */
    int guard; /* a pidfd */
    int socket;
    int alarm; /* its end of that pipe */
    bool is_broken;
    bool leaves_survivors;         /* the guard was killed */
    struct nono_sys_slot *next;    /* of those that are free */
    struct nono_sys_slot *sibling; /* of all of the pool */
    /* What the template keeps of the program's memory: the library and, from here on, its stack and the block. */
    struct nono_library library;
    char *guard_stack_end;
    char *template_stack_end;
    void *block; /* shared with the template, and with nobody else */
    size_t size;
};

/* What a forked child has no use for: closes it. With the registry locked. */
NONO_HIDDEN void nono_sys_forget_parent(void);
/* What a forked child gives up of its parent's pools: the way to its templates. */
NONO_HIDDEN void nono_pools_forget(void);
/* The parent's side of that: from now on another process has the rulesets too. */
NONO_HIDDEN void nono_pools_note_fork(void);

/* The guard's life (template.c); argument is a struct nono_sys_slot. */
NONO_HIDDEN int nono_guard_run(void *argument);

NONO_HIDDEN bool nono_slot_find_library(struct nono_library *library);
/* NULL if it cannot be made. */
NONO_HIDDEN struct nono_sys_slot *nono_slot_make(const struct nono_sys_restriction *restriction, int scope,
                                                 const struct nono_library *library);
/* Gives back what a slot that has ended has taken; in a forked child, what there is of a parent's. */
NONO_HIDDEN void nono_slot_discard(struct nono_sys_slot *slot);
/* Whether the news of the end was there; it is not any more. */
NONO_HIDDEN bool nono_slot_take_news_of_end(struct nono_sys_slot *slot);
/* A slot that is free, or NULL: then the command runs without one. */
NONO_HIDDEN struct nono_sys_slot *nono_slot_take(struct nono_sys_pool *pool);
/* Has the slot run the command that its block describes. Returns 0 or -errno. */
NONO_HIDDEN int nono_slot_start(struct nono_sys_slot *slot, const struct nono_sys_task *task);
/* What the template has told since; 0 for nothing. -1: it is gone, and everything with it. */
NONO_HIDDEN int nono_slot_hear(struct nono_sys_slot *slot);
/* Ends a slot whose template may not answer any more, and waits for that. */
NONO_HIDDEN void nono_slot_break(struct nono_sys_slot *slot);
NONO_HIDDEN void nono_slot_give_back(struct nono_sys_pool *pool, struct nono_sys_slot *slot);

#endif
