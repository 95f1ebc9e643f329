/* SPDX-License-Identifier: Apache-2.0
 *
 * Running one command in a sandbox of its own, and ending all that it started (launch.c). Not installed.
 *
 * The command is started and watched by a keeper (keeper.c): a process that shares the program's memory and none of its
 * threads, adopts every descendant of the command whose parent ends, and does not end before all of them have. */
#ifndef NONO_LAUNCH_H
#define NONO_LAUNCH_H

#include "nono_restrict.h"

/* Where starting a command can fail, in the order in which it happens. Values are those of NONO_SPAWN_STAGE_*. */
enum nono_sys_launch_stage {
    NONO_SYS_LAUNCH_DONE = 0,
    NONO_SYS_LAUNCH_PROCESS = 1, /* creating a process */
    NONO_SYS_LAUNCH_STDIO = 2,
    NONO_SYS_LAUNCH_CHDIR = 3,
    NONO_SYS_LAUNCH_LIMITS = 4,     /* detail: which of the limits; limit_count and up: which of the groups */
    NONO_SYS_LAUNCH_PRIVILEGES = 5, /* detail: 0 setgroups, 1 setgid, 2 setuid */
    NONO_SYS_LAUNCH_LANDLOCK = 6,
    NONO_SYS_LAUNCH_SECCOMP = 7,
    NONO_SYS_LAUNCH_CAPABILITIES = 8,
    NONO_SYS_LAUNCH_EXEC = 9
};

/* Why the command was brought to its end. Values are those of NONO_PROCESS_*. */
enum nono_sys_cause {
    NONO_SYS_CAUSE_EXITED = 0,
    NONO_SYS_CAUSE_TIMEOUT = 1,
    NONO_SYS_CAUSE_KILLED = 2, /* nono_sys_process_end() */
    NONO_SYS_CAUSE_LOST = 3    /* the keeper itself was killed */
};

struct nono_sys_limit {
    int resource; /* RLIMIT_* */
    uint64_t value;
};

enum { NONO_SYS_MOST_LIMITS = 6, NONO_SYS_MOST_GROUPS = 2 };

/* The sandboxes that stand ready for one prepared sandbox (pool.c). */
struct nono_sys_pool;

/* What is to be run. Descriptors of the library are 3 or higher (nono_sys_raise_descriptor). */
struct nono_sys_launch {
    const struct nono_sys_restriction *restriction; /* with its program, valid until the process is freed */
    int scope; /* a ruleset that scopes signals, or -1: then what the command leaves behind is looked for one by one */
    struct nono_sys_pool *pool; /* of that restriction and scope; or NULL */
    const char *program;        /* absolute */
    const uint8_t *arguments;   /* terminated strings one behind the other */
    size_t arguments_size;
    const uint8_t *environment;
    size_t environment_size;
    const char *directory; /* NULL: the program's own */
    int stdio[3];
    int groups[NONO_SYS_MOST_GROUPS]; /* open cgroup.procs files, or -1 */
    struct nono_sys_limit limits[NONO_SYS_MOST_LIMITS];
    int limit_count;
    bool changes_user;
    bool changes_group;
    uint32_t user;
    uint32_t group;
    int mask;           /* umask(2), or -1 */
    int64_t timeout;    /* nanoseconds, or -1 */
    bool reports_start; /* nono_sys_process_wait_for_start() will be called */
};

struct nono_sys_outcome_of_process {
    bool has_ended;
    int pid;   /* of the command; 0 if it was never started */
    int stage; /* where starting it failed, or DONE */
    int detail;
    int error;             /* its errno */
    int status;            /* as waitpid(2) gives it */
    int cause;             /* enum nono_sys_cause */
    bool leaves_survivors; /* something that the command started may still run */
};

struct nono_sys_process;

/* A pool for a sandbox, whose scope is a ruleset or -1; without slots it is there to be known of: from before the
 * ruleset has its first rule, so with forks held. It takes no process before the second command. */
struct nono_sys_pool *nono_sys_pool_new(const struct nono_sys_restriction *restriction, int scope, bool has_slots);
/* When no process uses it any more. */
void nono_sys_pool_free(struct nono_sys_pool *pool);

/* Starts the keeper, which starts the command. Returns 0 and the process, or -errno. */
int nono_sys_launch(const struct nono_sys_launch *launch, struct nono_sys_process **out);
/* Whether this process started it, and is no forked child of that one. */
bool nono_sys_process_is_ours(const struct nono_sys_process *process);
/* Waits until the command runs, or has failed to. */
void nono_sys_process_wait_for_start(struct nono_sys_process *process);
/* A descriptor that polls as readable when the outcome has changed. */
int nono_sys_process_descriptor(const struct nono_sys_process *process);
/* The outcome as it is now. It does not change any more once it has ended. */
void nono_sys_process_outcome(struct nono_sys_process *process, struct nono_sys_outcome_of_process *out);
/* Sends a signal to the command, if that still runs. Returns 0 or -errno. */
int nono_sys_process_signal(struct nono_sys_process *process, int signal);
/* Has the command and all that it started killed. */
void nono_sys_process_end(struct nono_sys_process *process);
/* Ends it, waits until it has ended, and frees it. In a forked child of the program it only frees. */
void nono_sys_process_free(struct nono_sys_process *process);

/* Keeps the thread from being cancelled, pthread_cancel(3), and lets it be as before. */
int nono_sys_hold_cancellation(void);
void nono_sys_release_cancellation(int state);

/* Descriptors (descriptors.c) */

/* Opens a pipe that no exec inherits, both ends 3 or higher. *read_end does not block if so asked. Returns 0 or -errno.
 */
int nono_sys_pipe(int *read_end, int *write_end);
/* A duplicate of the descriptor that is 3 or higher and that no exec inherits. */
int nono_sys_duplicate(int fd);
/* The same descriptor, or if it is below 3, a duplicate in its place. -errno closes it too. */
int nono_sys_raise_descriptor(int fd);
/* Reads and writes of our end of a pipe do not wait. */
int nono_sys_set_nonblocking(int pipe_end);
/* /dev/null for reading, or, where that is out of reach, what reads as empty too. */
int nono_sys_open_empty(void);
/* /dev/null for writing. */
int nono_sys_open_sink(void);
bool nono_sys_is_open(int fd);
/* Reads once. */
ptrdiff_t nono_sys_read(int fd, uint8_t *buffer, size_t size);
/* How much can be read from a pipe now. */
ptrdiff_t nono_sys_readable(int fd);
/* Writes once, without the signal SIGPIPE. */
ptrdiff_t nono_sys_write(int fd, const uint8_t *bytes, size_t size);

struct nono_sys_poll {
    int fd; /* -1: none */
    bool for_writing;
    bool is_ready;
};
/* Waits until one of them is ready, for so many nanoseconds; -1 is for ever. Returns how many are, or -errno. */
int nono_sys_poll(struct nono_sys_poll *entries, size_t count, int64_t timeout);

/* Small files and directories (files.c) */

/* Reads up to `size` bytes of a file; returns how many there are. */
ptrdiff_t nono_sys_read_file(const char *path, uint8_t *buffer, size_t size);
/* Writes all of it at once into a file that exists. */
int nono_sys_write_file(const char *path, const uint8_t *bytes, size_t size);
int nono_sys_open_for_writing(const char *path);
bool nono_sys_may_write(const char *path);
int nono_sys_make_directory(const char *path);
int nono_sys_remove_directory(const char *path);
int nono_sys_process_id(void);
bool nono_sys_may_change_user(void);
/* Whether processes of other users can be killed, capabilities(7). */
bool nono_sys_may_end_any_user(void);
/* Whether RLIMIT_NPROC means nothing to this user, getrlimit(2). */
bool nono_sys_is_exempt_from_process_limit(void);

#endif
