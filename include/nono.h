/* SPDX-License-Identifier: Apache-2.0
 *
 * nono.h - the C interface of libnono.
 *
 * A process names what it still needs (paths, perhaps the network) in a
 * capability set, applies the set, and from then on the kernel refuses
 * everything else to it and to its children. There is no way back.
 *
 *     struct NonoCapabilitySet *caps = nono_capability_set_new();
 *     if (nono_capability_set_allow_path(caps, "project", NONO_ACCESS_MODE_READ_WRITE) != NONO_ERROR_CODE_OK ||
 *         nono_capability_set_set_network_blocked(caps, true) != NONO_ERROR_CODE_OK ||
 *         nono_sandbox_apply(caps) != NONO_ERROR_CODE_OK) {
 *         char *why = nono_last_error();
 *         fprintf(stderr, "%s\n", why);
 *         nono_string_free(why);
 *     }
 *     nono_capability_set_free(caps);
 *
 * Five rules hold everywhere; a function's own comment states exceptions only.
 *
 * Ownership. What a function named *_new, *_from_*, *_to_* or *_copy returns
 *   belongs to the caller and is given back to the *_free function of its type.
 *   Every `char *` this library returns, also inside a struct, belongs to the
 *   caller and is given back to nono_string_free(), never to free(). Arguments
 *   are read during the call only. Every *_free function accepts NULL.
 *
 * Errors. A fallible function returns enum NonoErrorCode (0 is success, every
 *   failure is negative) or NULL. nono_last_error() then says in a sentence what
 *   failed and why. As with errno, it means something only after a failure, and
 *   a later success does not clear it. A function that fails has changed nothing,
 *   unless it says otherwise. NULL where an object is required is an error
 *   (NONO_ERROR_CODE_ERR_INVALID_ARG), not a crash.
 *
 * Threads. Every function may be called from any thread, and one handle may be
 *   used by several threads: handles are synchronised. Freeing a handle that
 *   another thread still uses is an error of the caller. The error state is per
 *   thread. No function is a cancellation point, pthread_cancel(3). After fork()
 *   the child may call everything, but its parent's commands are not its own:
 *   waiting for one is an error, and freeing the handle ends nothing. Between
 *   vfork() and exec, or in a signal handler, nothing may be called.
 *
 * Encoding. Strings are NUL-terminated UTF-8. Paths that this library returns
 *   are the bytes that the kernel uses and need not be UTF-8. Functions that end
 *   in _bytes take a pointer and a length instead of a terminated string, and
 *   paths given to them may hold any byte.
 *
 * Versions. NONO_VERSION_* is the version of this header, nono_version() that of
 *   the library that is loaded. Names, values and layouts are never changed or
 *   removed, only added, with the version that added them ("Since"); functions
 *   without that note have been there from the first release on.
 */
#ifndef NONO_H
#define NONO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NONO_VERSION_MAJOR 0
#define NONO_VERSION_MINOR 4
#define NONO_VERSION_PATCH 0
#define NONO_VERSION "0.4.0"

#if defined(__GNUC__) || defined(__clang__)
#define NONO_API __attribute__((visibility("default")))
#else
#define NONO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Values */

/* What a grant allows. Passed as uint32_t; any other value is an error.
 *
 * READ:  read files, list directories, execute files.
 * WRITE: write, truncate, create, rename, link and remove files, directories,
 *        symbolic links, FIFOs and sockets. Not device nodes, and not reading.
 * INVALID is only ever returned. */
#define NONO_ACCESS_MODE_READ 0U
#define NONO_ACCESS_MODE_WRITE 1U
#define NONO_ACCESS_MODE_READ_WRITE 2U
#define NONO_ACCESS_MODE_INVALID UINT32_MAX

/* What the network mode of a set may be. Passed as uint32_t.
 *
 * PROXY_ONLY allows TCP connections to one port, that of a local proxy, and no other
 * socket but unix ones. It does not stop listen(2) on a socket without an address,
 * for which the kernel picks a port. */
#define NONO_NETWORK_MODE_BLOCKED 0U
#define NONO_NETWORK_MODE_ALLOW_ALL 1U
#define NONO_NETWORK_MODE_PROXY_ONLY 2U

/* What a sandbox closes by default and nono_sandbox_apply_with_options() may leave
 * open, for programs that need it. Combined with |. Since 0.4. */
#define NONO_ALLOW_KEYRINGS 0x1ULL                 /* kernel keyrings, keyrings(7) */
#define NONO_ALLOW_SYSV_IPC 0x2ULL                 /* System V IPC, sysvipc(7) */
#define NONO_ALLOW_TERMINAL_INPUT 0x4ULL           /* TIOCSTI and TIOCLINUX, ioctl_tty(2) */
#define NONO_ALLOW_BPF 0x8ULL                      /* bpf(2) */
#define NONO_ALLOW_PERF_EVENTS 0x10ULL             /* perf_event_open(2) */
#define NONO_ALLOW_USERFAULTFD 0x20ULL             /* userfaultfd(2) */
#define NONO_ALLOW_KERNEL_ADMINISTRATION 0x40ULL   /* modules, kexec, swap, reboot, quotas, I/O ports, kernel log */
#define NONO_ALLOW_MOUNTS 0x80ULL                  /* mount(2) and its kin, pivot_root(2) */
#define NONO_ALLOW_FILE_HANDLES 0x100ULL           /* open_by_handle_at(2), fanotify(7) */
#define NONO_ALLOW_CLOCK_AND_HOSTNAME 0x200ULL     /* setting the clock, the host and domain name */
#define NONO_ALLOW_OTHER_PROCESSES 0x400ULL        /* limits, priority, scheduling of others; threads bound by OpenMP */
#define NONO_ALLOW_CAPABILITIES 0x800ULL           /* the capabilities(7) that lead out of a sandbox */
#define NONO_ALLOW_SIGNALS 0x1000ULL               /* signals to processes outside */
#define NONO_ALLOW_ABSTRACT_UNIX_SOCKETS 0x2000ULL /* abstract unix sockets of processes outside, unix(7) */

/* What a kernel leaves open although a sandbox should close it. Since 0.4. */
#define NONO_UNENFORCED_METADATA 0x1ULL               /* chmod, chown, times, attributes: every kernel so far */
#define NONO_UNENFORCED_TRUNCATION 0x2ULL             /* truncating files that may not be written: before ABI 3 */
#define NONO_UNENFORCED_DEVICE_CONTROL 0x4ULL         /* ioctl(2) on devices: before ABI 5 */
#define NONO_UNENFORCED_SIGNALS 0x8ULL                /* signals to processes outside: before ABI 6 */
#define NONO_UNENFORCED_ABSTRACT_UNIX_SOCKETS 0x10ULL /* those of processes outside: before ABI 6 */
#define NONO_UNENFORCED_PATHNAME_UNIX_SOCKETS 0x20ULL /* connections to ungranted ones: before ABI 9 */

enum NonoErrorCode {
    NONO_ERROR_CODE_OK = 0,
    /* A path, or a part of it, does not exist. */
    NONO_ERROR_CODE_ERR_PATH_NOT_FOUND = -1,
    /* A directory was asked for and the path leads to something else. */
    NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY = -2,
    /* Anything but a directory was asked for and the path leads to one. */
    NONO_ERROR_CODE_ERR_EXPECTED_FILE = -3,
    /* A path could not be resolved for another reason; nono_last_os_error() tells it. */
    NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION = -4,
    /* Reserved. */
    NONO_ERROR_CODE_ERR_NO_CAPABILITIES = -5,
    /* The sandbox could not be put in place, or a platform rule is refused. */
    NONO_ERROR_CODE_ERR_SANDBOX_INIT = -6,
    /* This operating system has no sandbox that libnono can use. */
    NONO_ERROR_CODE_ERR_UNSUPPORTED_PLATFORM = -7,
    /* A command is on the block list of its set. */
    NONO_ERROR_CODE_ERR_BLOCKED_COMMAND = -8,
    /* Text is not valid JSON, or a saved state does not fit this system. */
    NONO_ERROR_CODE_ERR_CONFIG_PARSE = -9,
    /* Reserved. */
    NONO_ERROR_CODE_ERR_PROFILE_PARSE = -10,
    /* A process, pipe or control group could not be made, or a command not be started; nono_last_spawn_stage(). */
    NONO_ERROR_CODE_ERR_IO = -11,
    /* An argument is NULL, out of range or badly encoded. */
    NONO_ERROR_CODE_ERR_INVALID_ARG = -12,
    /* Reserved. */
    NONO_ERROR_CODE_ERR_TRUST_VERIFICATION = -13,
    /* Anything else, a granted object that cannot be opened at apply time among it. */
    NONO_ERROR_CODE_ERR_UNKNOWN = -99
};
typedef enum NonoErrorCode NonoErrorCode;

/* What kind of problem an error is, for programs that show remedies. */
enum NonoDiagnosticCode {
    NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_PATH = 0,
    NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_NETWORK = 1,
    NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_UNIX_SOCKET = 2,
    NONO_DIAGNOSTIC_CODE_COMMAND_NOT_FOUND = 3,
    NONO_DIAGNOSTIC_CODE_COMMAND_FAILED_LIKELY_SANDBOX = 4,
    NONO_DIAGNOSTIC_CODE_COMMAND_FAILED_APPLICATION = 5,
    NONO_DIAGNOSTIC_CODE_CREDENTIAL_NOT_FOUND = 6,
    NONO_DIAGNOSTIC_CODE_CREDENTIAL_UNAVAILABLE = 7,
    NONO_DIAGNOSTIC_CODE_UNSUPPORTED_PLATFORM_FEATURE = 8,
    NONO_DIAGNOSTIC_CODE_ROLLBACK_BUDGET_EXCEEDED = 9,
    NONO_DIAGNOSTIC_CODE_CWD_ACCESS_REQUIRED = 10,
    NONO_DIAGNOSTIC_CODE_CONFIGURATION_ERROR = 11,
    NONO_DIAGNOSTIC_CODE_TRUST_VERIFICATION_FAILED = 12,
    NONO_DIAGNOSTIC_CODE_IO_ERROR = 13,
    NONO_DIAGNOSTIC_CODE_CANCELLED = 14,
    NONO_DIAGNOSTIC_CODE_OTHER = 99
};
typedef enum NonoDiagnosticCode NonoDiagnosticCode;

/* Where a grant comes from. Grants made through this interface are USER. */
enum NonoCapabilitySourceTag {
    NONO_CAPABILITY_SOURCE_TAG_USER = 0,
    NONO_CAPABILITY_SOURCE_TAG_GROUP = 1,
    NONO_CAPABILITY_SOURCE_TAG_SYSTEM = 2,
    NONO_CAPABILITY_SOURCE_TAG_PROFILE = 3
};
typedef enum NonoCapabilitySourceTag NonoCapabilitySourceTag;

enum NonoQueryStatus { NONO_QUERY_STATUS_ALLOWED = 0, NONO_QUERY_STATUS_DENIED = 1 };
typedef enum NonoQueryStatus NonoQueryStatus;

enum NonoQueryReason {
    NONO_QUERY_REASON_GRANTED_PATH = 0,
    NONO_QUERY_REASON_NETWORK_ALLOWED = 1,
    NONO_QUERY_REASON_PATH_NOT_GRANTED = 2,
    NONO_QUERY_REASON_INSUFFICIENT_ACCESS = 3,
    NONO_QUERY_REASON_NETWORK_BLOCKED = 4
};
typedef enum NonoQueryReason NonoQueryReason;

/* The handles. Their contents are private. */
struct NonoCapabilitySet;
struct NonoQueryContext;
struct NonoSandboxState;
struct NonoPreparedSandbox; /* since 0.4 */
struct NonoProcess;         /* since 0.4 */

/* The answer to a query. Strings that do not belong to the reason are NULL;
 * the others are released with nono_string_free(), one by one.
 *
 * GRANTED_PATH:        granted_path (the grant that allows it), access (what it gives)
 * INSUFFICIENT_ACCESS: granted (what the grants on this path give), requested
 *
 * Access texts are "read", "write" and "read+write". */
struct NonoQueryResult {
    enum NonoQueryStatus status;
    enum NonoQueryReason reason;
    char *granted_path;
    char *access;
    char *granted;
    char *requested;
};
typedef struct NonoQueryResult NonoQueryResult;

/* The same about a path without strings to release. Set struct_size to sizeof this
 * struct, and path and path_size to a buffer, or to NULL and 0. Since 0.4. */
struct NonoPathAnswer {
    size_t struct_size;
    enum NonoQueryStatus status;
    enum NonoQueryReason reason;
    uint32_t access;    /* NONO_ACCESS_MODE_*: of GRANTED_PATH what it gives, of
                         * INSUFFICIENT_ACCESS what there is; INVALID otherwise */
    char *path;         /* of GRANTED_PATH the grant, terminated and cut to fit */
    size_t path_size;   /* of the buffer */
    size_t path_length; /* of the whole path; 0 if there is none */
};
typedef struct NonoPathAnswer NonoPathAnswer;

/* Whether and how this system can sandbox. Both strings belong to the caller. */
struct NonoSupportInfo {
    bool is_supported;
    char *platform; /* "linux", "macos" */
    char *details;  /* one line for people */
};
typedef struct NonoSupportInfo NonoSupportInfo;

/* How nono_sandbox_apply_with_options() applies. Set struct_size to sizeof this
 * struct and everything that is not used to zero. Since 0.4. */
struct NonoApplyOptions {
    size_t struct_size;
    uint64_t allow; /* NONO_ALLOW_*; other bits are an error */
};
typedef struct NonoApplyOptions NonoApplyOptions;

/* What is in force on this process, as far as this library put it there since the
 * program was started: a sandbox survives exec, the record of it does not. What the
 * kernel says itself is in the two last fields. Since 0.4. */
struct NonoSandboxStatus {
    size_t struct_size;    /* set by the caller to sizeof this struct */
    uint64_t allowed;      /* NONO_ALLOW_*: left open by every layer */
    uint64_t unenforced;   /* NONO_UNENFORCED_*: not closed by any layer */
    uint32_t layers;       /* how many sandboxes are in force, one within another */
    uint32_t network_mode; /* NONO_NETWORK_MODE_*: the narrowest of them */
    int32_t landlock_abi;  /* the Landlock ABI that was used; 0 without a layer */
    int32_t seccomp_mode;  /* PR_GET_SECCOMP(2const): 2 with a filter, ours or another */
    bool unix_sockets_blocked;
    bool is_incomplete; /* an apply failed halfway: some threads may be unrestricted */
    bool no_new_privs;  /* PR_GET_NO_NEW_PRIVS(2const) */
};
typedef struct NonoSandboxStatus NonoSandboxStatus;

/* Where starting a command failed, in the order in which it happens. Since 0.4. */
#define NONO_SPAWN_STAGE_NONE 0U
#define NONO_SPAWN_STAGE_PROCESS 1U      /* creating a process */
#define NONO_SPAWN_STAGE_STDIO 2U        /* its standard streams */
#define NONO_SPAWN_STAGE_CHDIR 3U        /* its working directory */
#define NONO_SPAWN_STAGE_LIMITS 4U       /* its limits */
#define NONO_SPAWN_STAGE_PRIVILEGES 5U   /* its user and group */
#define NONO_SPAWN_STAGE_LANDLOCK 6U     /* its sandbox: Landlock */
#define NONO_SPAWN_STAGE_SECCOMP 7U      /* its sandbox: the filter of system calls */
#define NONO_SPAWN_STAGE_CAPABILITIES 8U /* its sandbox: capabilities(7) */
#define NONO_SPAWN_STAGE_EXEC 9U         /* the program itself, execve(2) */

/* Where a standard stream of a command leads. Since 0.4. */
#define NONO_STDIO_NULL 0U       /* /dev/null */
#define NONO_STDIO_PIPE 1U       /* a pipe; nono_process_take_descriptor() has the other end */
#define NONO_STDIO_DESCRIPTOR 2U /* an open descriptor, named beside it, which stays the caller's */
#define NONO_STDIO_STDOUT 3U     /* of standard error: where standard output leads */

/* Which fields of struct NonoSpawnOptions count, and what else is asked for.
 * Combined with |; other bits are an error. Since 0.4. */
#define NONO_SPAWN_TIMEOUT 0x1ULL
#define NONO_SPAWN_MAX_PROCESSES 0x2ULL
#define NONO_SPAWN_MAX_CPU_SECONDS 0x4ULL
#define NONO_SPAWN_MAX_FILE_SIZE 0x8ULL
#define NONO_SPAWN_MAX_OPEN_FILES 0x10ULL
#define NONO_SPAWN_MAX_MEMORY 0x20ULL
#define NONO_SPAWN_USER 0x40ULL
#define NONO_SPAWN_GROUP 0x80ULL
#define NONO_SPAWN_UMASK 0x100ULL
/* The environment may hold what the dynamic loader reads: LD_*, DYLD_*, LIBPATH, SHLIB_PATH. */
#define NONO_SPAWN_ALLOW_LOADER_VARIABLES 0x200ULL
/* Return without waiting until the program runs. Whether it could be started is then told by its status. */
#define NONO_SPAWN_NO_WAIT 0x400ULL

/* How a command is run. Set struct_size to sizeof this struct and everything that
 * is not used to zero: an empty environment, the caller's directory, /dev/null for
 * all three streams, no limit. Since 0.4. */
struct NonoSpawnOptions {
    size_t struct_size;
    uint64_t set;                   /* NONO_SPAWN_* */
    const char *const *environment; /* "NAME=value" strings, ended by NULL; NULL: empty */
    const char *directory;          /* resolved at once, and need not be granted; NULL: the caller's */
    const char *search_path;        /* where a name without a slash is looked for, a:b:c; NULL: the caller's PATH */
    uint32_t stdin_mode;            /* NONO_STDIO_* */
    uint32_t stdout_mode;
    uint32_t stderr_mode;
    int32_t stdin_descriptor; /* for NONO_STDIO_DESCRIPTOR */
    int32_t stdout_descriptor;
    int32_t stderr_descriptor;
    uint64_t timeout_ns; /* after so many nanoseconds everything is killed */
    uint64_t max_processes;
    uint64_t max_cpu_seconds; /* for each process, RLIMIT_CPU of getrlimit(2) */
    uint64_t max_file_size;   /* bytes of one file, RLIMIT_FSIZE */
    uint64_t max_open_files;  /* for each process, RLIMIT_NOFILE */
    uint64_t max_memory;      /* bytes */
    uint32_t user;            /* not 0; the group becomes the same unless it is set, other groups are dropped */
    uint32_t group;           /* not 0 */
    uint32_t umask;
};
typedef struct NonoSpawnOptions NonoSpawnOptions;

/* Why a command was brought to its end. Since 0.4. */
#define NONO_PROCESS_EXITED 0U  /* it ended by itself, or by a signal */
#define NONO_PROCESS_TIMEOUT 1U /* its time was over */
#define NONO_PROCESS_KILLED 2U  /* nono_process_kill() or nono_process_free() */
#define NONO_PROCESS_LOST 3U    /* the process that watches it was killed, and all of it with that */

/* By which means a limit is enforced. Since 0.4. */
#define NONO_LIMITED_BY_NOTHING 0U
#define NONO_LIMITED_BY_RLIMIT 1U    /* max_memory: each process by itself; max_processes: all of that user */
#define NONO_LIMITED_BY_CGROUP_V1 2U /* the command and all that it starts together, cgroups(7) */
#define NONO_LIMITED_BY_CGROUP_V2 3U

/* How a command is, or was. Since 0.4. */
struct NonoProcessStatus {
    size_t struct_size;    /* set by the caller to sizeof this struct */
    uint64_t unenforced;   /* NONO_UNENFORCED_*: what this kernel leaves open in its sandbox */
    int32_t pid;           /* 0 if no process came into being */
    int32_t exit_code;     /* once ended: the exit status, or the negated number of the signal that ended it */
    uint32_t cause;        /* once ended: NONO_PROCESS_* */
    uint32_t failed_stage; /* NONO_SPAWN_STAGE_*: why the program does not run; nono_process_failure() says more */
    int32_t failed_errno;
    uint32_t memory_limited_by;    /* NONO_LIMITED_BY_* */
    uint32_t processes_limited_by; /* NONO_LIMITED_BY_* */
    bool has_ended;                /* with all that it started */
    bool leaves_survivors; /* once ended: something that it started may still run, since this kernel cannot tell */
};
typedef struct NonoProcessStatus NonoProcessStatus;

/* What nono_process_communicate() is to do. Set struct_size, and zero for what is
 * not used. Since 0.4. */
struct NonoCommunication {
    size_t struct_size;
    const void *input; /* for standard input, if that is a pipe, which is closed behind it */
    size_t input_length;
    uint64_t max_output; /* bytes kept of each output stream, the rest is counted; UINT64_MAX: all */
    /* Called on the calling thread with each piece of output as it comes (stream 1 or 2), and with stream 0 and no
     * bytes when a signal handler has run. Anything but 0 ends the command. */
    int32_t (*listener)(void *payload, uint32_t stream, const char *bytes, size_t length);
    void *payload;
};
typedef struct NonoCommunication NonoCommunication;

/* What a command wrote, up to the limit. Since 0.4. */
struct NonoOutput {
    size_t struct_size; /* set by the caller to sizeof this struct */
    char *stdout_bytes; /* not terminated; the caller's, for nono_string_free(); NULL if there are none */
    size_t stdout_length;
    uint64_t stdout_cut; /* how many bytes more there were */
    char *stderr_bytes;
    size_t stderr_length;
    uint64_t stderr_cut;
};
typedef struct NonoOutput NonoOutput;

/* Errors and strings */

/* Returns a copy of the calling thread's last error message, or NULL if no call
 * has failed on this thread since it started or since nono_clear_error().
 * A message that quotes a NUL byte ends there; see nono_last_error_bytes(). */
NONO_API char *nono_last_error(void);

/* As nono_last_error(), and stores the length in bytes, without the terminator,
 * in *out_length unless that is NULL (0 when there is no message). Since 0.4. */
NONO_API char *nono_last_error_bytes(size_t *out_length);

/* Returns the errno behind the calling thread's last error, or 0 if that error
 * does not come from a system call, or from none but the probe for Landlock.
 * Since 0.4. */
NONO_API int32_t nono_last_os_error(void);

/* Returns the path that the calling thread's last error is about, with its length
 * in *out_length unless that is NULL; or NULL if the error is not about a path. It
 * is as the caller gave it; of nono_sandbox_apply(), the resolved path of a grant.
 * Since 0.4. */
NONO_API char *nono_last_error_path(size_t *out_length);

/* Returns how far nono_sandbox_spawn() had come when the calling thread's last
 * error happened, NONO_SPAWN_STAGE_*; NONE if the error is of another kind, or was
 * found before anything was begun. Since 0.4. */
NONO_API uint32_t nono_last_spawn_stage(void);

/* Returns what kind of problem the calling thread's last error is, or
 * NONO_DIAGNOSTIC_CODE_OTHER when there is none. */
NONO_API enum NonoDiagnosticCode nono_last_diagnostic_code(void);

/* Returns a JSON object that tells how the last error could be remedied, such as
 * {"kind":"grant_path","path":"/etc/hosts","access":"Read","is_file":true},
 * or NULL when there is no error or no known remedy. */
NONO_API char *nono_last_remediation_json(void);

/* Forgets the calling thread's last error with all that belongs to it. */
NONO_API void nono_clear_error(void);

/* Releases a string that this library returned. */
NONO_API void nono_string_free(char *s);

/* Returns the version of the loaded library, such as "0.4.0". */
NONO_API char *nono_version(void);

/* Capability sets */

/* Returns an empty set: no path granted, the network allowed. Never NULL: as
 * everywhere in this library, running out of memory ends the process. */
NONO_API struct NonoCapabilitySet *nono_capability_set_new(void);

/* Returns an independent copy, in constant time, or NULL for NULL. Since 0.4. */
NONO_API struct NonoCapabilitySet *nono_capability_set_copy(const struct NonoCapabilitySet *caps);

NONO_API void nono_capability_set_free(struct NonoCapabilitySet *caps);

/* Grants a directory and everything below it, now and later.
 *
 * The path is resolved at once, against the working directory, as realpath(3)
 * does: every part must exist and links are followed. What is granted is the
 * object found (device, inode, type); nono_sandbox_apply() refuses to grant
 * another one that has taken its place, unless the file system gave a new object
 * the inode number of the old one.
 *
 * Arguments are checked in this order: caps ("caps pointer is NULL"), mode
 * ("invalid access mode: 7"), path ("path is NULL or invalid UTF-8"); each is
 * ERR_INVALID_ARG. Then ERR_PATH_NOT_FOUND, ERR_PATH_CANONICALIZATION,
 * ERR_EXPECTED_DIRECTORY. */
NONO_API enum NonoErrorCode nono_capability_set_allow_path(struct NonoCapabilitySet *caps, const char *path,
                                                           uint32_t mode);

/* As nono_capability_set_allow_path(), for a path of any bytes. A NUL byte in it
 * is ERR_PATH_CANONICALIZATION; NULL with a length other than 0 is
 * ERR_INVALID_ARG. Since 0.4. */
NONO_API enum NonoErrorCode nono_capability_set_allow_path_bytes(struct NonoCapabilitySet *caps, const char *path,
                                                                 size_t length, uint32_t mode);

/* Grants one object that is not a directory: a regular file, a FIFO, a socket, a
 * device. Otherwise as nono_capability_set_allow_path(), with
 * ERR_EXPECTED_FILE for a directory. The grant does not allow the file to be
 * removed, renamed or replaced: that is a right on its directory. */
NONO_API enum NonoErrorCode nono_capability_set_allow_file(struct NonoCapabilitySet *caps, const char *path,
                                                           uint32_t mode);

/* As nono_capability_set_allow_file(), for a path of any bytes. Since 0.4. */
NONO_API enum NonoErrorCode nono_capability_set_allow_file_bytes(struct NonoCapabilitySet *caps, const char *path,
                                                                 size_t length, uint32_t mode);

/* Blocks the network (true) or allows all of it again (false). */
NONO_API enum NonoErrorCode nono_capability_set_set_network_blocked(struct NonoCapabilitySet *caps, bool blocked);

/* Sets the network mode. ERR_INVALID_ARG, "invalid network mode: 9", for others.
 * PROXY_ONLY without a port (see below) allows no connection at all. */
NONO_API enum NonoErrorCode nono_capability_set_set_network_mode(struct NonoCapabilitySet *caps, uint32_t mode);

/* Returns the network mode; ALLOW_ALL for NULL. */
NONO_API uint32_t nono_capability_set_network_mode(const struct NonoCapabilitySet *caps);

/* Switches to PROXY_ONLY and sets the port that may be connected to. */
NONO_API enum NonoErrorCode nono_capability_set_set_proxy_port(struct NonoCapabilitySet *caps, uint16_t port);

/* Returns the proxy port; 0 unless the mode is PROXY_ONLY. */
NONO_API uint16_t nono_capability_set_proxy_port(const struct NonoCapabilitySet *caps);

/* Closes unix sockets altogether, but for connected pairs (socketpair(2) of streams).
 * Without it a process in a sandbox can connect to any unix socket by path, up to
 * Landlock ABI 8. There is no way back. Since 0.4. */
NONO_API enum NonoErrorCode nono_capability_set_block_unix_sockets(struct NonoCapabilitySet *caps);
NONO_API bool nono_capability_set_unix_sockets_blocked(const struct NonoCapabilitySet *caps); /* false for NULL */

/* Puts a command name on the allow or block list. nono_sandbox_spawn() refuses a
 * program that has a blocked name which is not allowed too. A guard rail and not
 * containment: what runs can run the same program under another name. "cmd is NULL
 * or invalid UTF-8". */
NONO_API enum NonoErrorCode nono_capability_set_allow_command(struct NonoCapabilitySet *caps, const char *cmd);
NONO_API enum NonoErrorCode nono_capability_set_block_command(struct NonoCapabilitySet *caps, const char *cmd);

/* The same for a name with a length, in UTF-8. Since 0.4. */
NONO_API enum NonoErrorCode nono_capability_set_allow_command_bytes(struct NonoCapabilitySet *caps, const char *cmd,
                                                                    size_t length);
NONO_API enum NonoErrorCode nono_capability_set_block_command_bytes(struct NonoCapabilitySet *caps, const char *cmd,
                                                                    size_t length);

/* Adds a Seatbelt rule, an S-expression such as
 * (allow mach-lookup (global-name "com.apple.system.logger")), that macOS adds to
 * the profile and other systems ignore. Every system refuses, with
 * ERR_SANDBOX_INIT, text that is not balanced S-expressions and rules that would
 * open the whole file system or undo the sandbox. "rule is NULL or invalid UTF-8". */
NONO_API enum NonoErrorCode nono_capability_set_add_platform_rule(struct NonoCapabilitySet *caps, const char *rule);

/* The same for a rule with a length, in UTF-8. Since 0.4. */
NONO_API enum NonoErrorCode nono_capability_set_add_platform_rule_bytes(struct NonoCapabilitySet *caps,
                                                                        const char *rule, size_t length);

/* Merges grants of the same object: their access is united, and an original
 * spelling that differs from the resolved path is kept. Does nothing for NULL. */
NONO_API void nono_capability_set_deduplicate(struct NonoCapabilitySet *caps);

/* Tells whether a granted directory covers the path, with whatever access. The
 * path is resolved as nono_query_context_query_path() does. False for NULL. */
NONO_API bool nono_capability_set_path_covered(const struct NonoCapabilitySet *caps, const char *path);

/* The same for a path of any bytes. Since 0.4. */
NONO_API bool nono_capability_set_path_covered_bytes(const struct NonoCapabilitySet *caps, const char *path,
                                                     size_t length);

/* Tells whether the network mode is anything but ALLOW_ALL. False for NULL. */
NONO_API bool nono_capability_set_is_network_blocked(const struct NonoCapabilitySet *caps);

/* Returns a description for people, several lines without a final newline, UTF-8
 * (bytes that are not become U+FFFD). NULL for NULL. */
NONO_API char *nono_capability_set_summary(const struct NonoCapabilitySet *caps);

/* Returns the profile with which macOS would enforce the set, in the language of its
 * sandbox, Seatbelt: on every system, so that it can be read and compared. HOME is
 * read now, as it is by nono_sandbox_apply(). ERR_SANDBOX_INIT, with the error of nono_sandbox_apply()
 * on macOS, if a granted path has a control character in it or is not UTF-8, or if a
 * platform rule has a NUL. NULL for NULL, with an error. Since 0.4. */
NONO_API char *nono_capability_set_seatbelt_profile(const struct NonoCapabilitySet *caps);

/* Grants by index, in the order in which they were made. An index out of range
 * returns the value given here and sets the error "index 9 out of bounds"
 * (ERR_INVALID_ARG). */
NONO_API uintptr_t nono_capability_set_fs_count(const struct NonoCapabilitySet *caps);                  /* 0 for NULL */
NONO_API char *nono_capability_set_fs_original(const struct NonoCapabilitySet *caps, uintptr_t index);  /* NULL */
NONO_API char *nono_capability_set_fs_resolved(const struct NonoCapabilitySet *caps, uintptr_t index);  /* NULL */
NONO_API uint32_t nono_capability_set_fs_access(const struct NonoCapabilitySet *caps, uintptr_t index); /* INVALID */
NONO_API bool nono_capability_set_fs_is_file(const struct NonoCapabilitySet *caps, uintptr_t index);    /* false */
NONO_API enum NonoCapabilitySourceTag nono_capability_set_fs_source_tag(const struct NonoCapabilitySet *caps,
                                                                        uintptr_t index); /* USER */

/* Returns the group's name, or NULL if the grant does not come from a group. */
NONO_API char *nono_capability_set_fs_source_group_name(const struct NonoCapabilitySet *caps, uintptr_t index);

/* Queries: what would the sandbox of this set allow? */

/* Takes a snapshot of the set, in constant time: later changes of the set do not
 * show. NULL for NULL, with an error. */
NONO_API struct NonoQueryContext *nono_query_context_new(const struct NonoCapabilitySet *caps);
NONO_API void nono_query_context_free(struct NonoQueryContext *ctx);

/* Answers what the kernel would: all grants that cover the path count together.
 * The path is resolved now, against the working directory. A part that does not
 * exist stands for itself below its longest existing ancestor; a sandbox already
 * in force, ownership and permission bits are not considered. A hard link to a
 * granted file counts as the name it has here, not as that file.
 *
 * Fails only with ERR_INVALID_ARG ("ctx pointer is NULL", "invalid access mode: 7",
 * "path is NULL or invalid UTF-8", "out_result pointer is NULL"). */
NONO_API enum NonoErrorCode nono_query_context_query_path(const struct NonoQueryContext *ctx, const char *path,
                                                          uint32_t mode, struct NonoQueryResult *out_result);

/* The same for a path of any bytes. Since 0.4. */
NONO_API enum NonoErrorCode nono_query_context_query_path_bytes(const struct NonoQueryContext *ctx, const char *path,
                                                                size_t length, uint32_t mode,
                                                                struct NonoQueryResult *out_result);

/* The same, in less time. Since 0.4. */
NONO_API enum NonoErrorCode nono_query_context_answer_path(const struct NonoQueryContext *ctx, const char *path,
                                                           size_t length, uint32_t mode,
                                                           struct NonoPathAnswer *out_answer);

/* Answers NETWORK_ALLOWED or, for every mode but ALLOW_ALL, NETWORK_BLOCKED. */
NONO_API enum NonoErrorCode nono_query_context_query_network(const struct NonoQueryContext *ctx,
                                                             struct NonoQueryResult *out_result);

/* The sandbox */

/* Puts the sandbox in force, for good: for every thread of the process, and what
 * they start afterwards. It may be called again: each layer only narrows, and the
 * kernel allows 16. On Linux it
 *
 * - sets no_new_privs, PR_SET_NO_NEW_PRIVS(2const);
 * - adds a Landlock layer, landlock(7): the granted paths, signals and abstract unix
 *   sockets within the sandbox only, TCP ports;
 * - adds a seccomp(2) filter: with a blocked network no socket but unix ones can be
 *   made, nor io_uring be used; and the NONO_ALLOW_* calls above fail with EPERM. A
 *   call in a foreign processor mode (int 0x80, x32) ends the process;
 * - drops the capabilities that lead out of a sandbox, of root too.
 *
 * Every other thread is stopped by a signal (33) for a moment and restricts itself in
 * its handler. System calls it was in may end with EINTR as after any signal,
 * signal(7). A thread whose vfork(2) child has not started its program is waited for.
 * Below Landlock ABI 8, threads that existed before get one Landlock domain each. A
 * process that one of them starts later is outside for the others: they
 * cannot signal it (unless NONO_ALLOW_SIGNALS), connect to its abstract unix sockets
 * (unless NONO_ALLOW_ABSTRACT_UNIX_SOCKETS), or trace it.
 *
 * ERR_SANDBOX_INIT if the kernel cannot enforce the set, if a granted object was
 * replaced since it was granted, if a system call fails, or if a thread does not
 * answer within 3 seconds; ERR_UNKNOWN if a granted object cannot be opened any
 * more. Nothing is restricted then, though no_new_privs may be set; unless the
 * message says that the process is restricted in part, which takes the kernel to
 * run out of memory halfway, or a thread with 16 Landlock layers of its own making.
 * A thread of the kernel that polls an io_uring with earlier rights does not answer.
 *
 * ERR_SANDBOX_INIT, with EBUSY, also while a command of nono_sandbox_spawn() runs or
 * its handle is not freed: what watches it shares the memory of this process and would
 * not be restricted. What only waits for the next command in a prepared sandbox is
 * ended. A prepared sandbox that another process has too, because this one was forked
 * or has forked since it was made, cannot be used in this process from then on, even if
 * this fails: who may add to its rules could let the other one's commands out.
 *
 * On macOS it gives the text of nono_capability_set_seatbelt_profile() to the system,
 * sandbox_init(3); ERR_SANDBOX_INIT with the system's text if that is refused. Paths
 * are then those of that text: objects are not compared with those granted. A second
 * call may be refused there. */
NONO_API enum NonoErrorCode nono_sandbox_apply(const struct NonoCapabilitySet *caps);

/* The same with options; NULL is none. They have no effect on macOS: the profile is
 * the same with and without, and never wider. ERR_INVALID_ARG for options that this
 * version does not know. Since 0.4. */
NONO_API enum NonoErrorCode nono_sandbox_apply_with_options(const struct NonoCapabilitySet *caps,
                                                            const struct NonoApplyOptions *options);

/* Tells whether this system can sandbox at all. */
NONO_API bool nono_sandbox_is_supported(void);
NONO_API struct NonoSupportInfo nono_sandbox_support_info(void);

/* Returns the Landlock ABI of the running kernel, and the one whose rights this
 * library uses of it; 0 without Landlock. Since 0.4. */
NONO_API int32_t nono_sandbox_kernel_abi(void);
NONO_API int32_t nono_sandbox_used_abi(void);

/* Stores in *out_unenforced what this kernel would leave open in a sandbox of the
 * set (NONO_UNENFORCED_*). The errors of nono_sandbox_apply_with_options() for a
 * set that this kernel cannot enforce at all. Since 0.4. */
NONO_API enum NonoErrorCode nono_sandbox_unenforced(const struct NonoCapabilitySet *caps,
                                                    const struct NonoApplyOptions *options, uint64_t *out_unenforced);

/* Stores what is in force on this process. ERR_INVALID_ARG for NULL or a
 * struct_size that is none of this struct. Since 0.4. */
NONO_API enum NonoErrorCode nono_sandbox_status(struct NonoSandboxStatus *out_status);

/* Saved states: a capability set as text */

/* Takes a snapshot of the set that can be saved. NULL for NULL, with an error. A
 * state knows a blocked and an open network only: PROXY_ONLY is saved as blocked. */
NONO_API struct NonoSandboxState *nono_sandbox_state_from_caps(const struct NonoCapabilitySet *caps);
NONO_API void nono_sandbox_state_free(struct NonoSandboxState *state);

/* Tells whether the saved set blocks the network, and how many grants it has.
 * False and 0 for NULL. Since 0.4. */
NONO_API bool nono_sandbox_state_net_blocked(const struct NonoSandboxState *state);
NONO_API size_t nono_sandbox_state_fs_count(const struct NonoSandboxState *state);

/* Returns the state as JSON (RFC 8259), indented by two spaces:
 *
 *     {"fs": [{"original": ..., "resolved": ..., "access": "read", "is_file": false}],
 *      "net_blocked": true}
 *
 * and, only when there are any, "unix_sockets_blocked": true, and the lists of strings
 * "allowed_commands", "blocked_commands" and "platform_rules". NULL with ERR_CONFIG_PARSE if a path
 * is not UTF-8. */
NONO_API char *nono_sandbox_state_to_json(const struct NonoSandboxState *state);

/* Reads such text. Unknown fields are ignored; "fs" and "net_blocked" must be there. Values are checked by
 * nono_sandbox_state_to_caps(), not here. NULL with ERR_CONFIG_PARSE, "Invalid JSON: expected value at line 1 column
 * 1", or with ERR_INVALID_ARG, "json is NULL or invalid UTF-8". */
NONO_API struct NonoSandboxState *nono_sandbox_state_from_json(const char *json);

/* The same for text with a length. Since 0.4. */
NONO_API struct NonoSandboxState *nono_sandbox_state_from_json_bytes(const char *json, size_t length);

/* Grants again what was saved, resolving each original path now. NULL with the
 * error of nono_capability_set_allow_path(), or with ERR_CONFIG_PARSE if an
 * access text is unknown or a path now leads elsewhere than it did. */
NONO_API struct NonoCapabilitySet *nono_sandbox_state_to_caps(const struct NonoSandboxState *state);

/* Running one command in a sandbox of its own, while the caller stays free. Since 0.4.
 *
 *     char *const argv[] = {"make", "test", NULL};
 *     struct NonoSpawnOptions options = {.struct_size = sizeof options, .stdout_mode = NONO_STDIO_PIPE};
 *     struct NonoPreparedSandbox *sandbox = NULL;
 *     struct NonoProcess *process = NULL;
 *     if (nono_sandbox_prepare(caps, NULL, &sandbox) == NONO_ERROR_CODE_OK &&
 *         nono_sandbox_spawn(sandbox, argv, &options, &process) == NONO_ERROR_CODE_OK) ...
 *
 * When a command ends, by itself or by force, everything that it started is killed
 * and reaped with it, daemons in sessions of their own included, and no other child
 * of the caller is touched. This takes Landlock ABI 6 and holds for ordinary users
 * too. On older kernels, or with NONO_ALLOW_SIGNALS, descendants are looked for one
 * by one; leaves_survivors tells if that did not find them all. It also ends when
 * the caller does, by whatever means.
 *
 * The command has a session and process group of its own, no descriptor but its
 * three streams, and default signal actions with none blocked. It is watched by a
 * process named nono-keeper, which shares the caller's memory and counts against
 * RLIMIT_NPROC; wait(2) does not see it, unless with __WALL or __WCLONE. The caller may have any number of threads,
 * and may be in a sandbox itself, which then holds for the command too; a command
 * takes two of the 16 layers that Landlock allows. */

/* Prepares the sandbox of a set: its rules are given to the kernel once, whatever
 * the number of commands. It holds the objects that were granted then: a directory
 * that is deleted and made again is not covered. Immutable; any number of threads
 * may use it.
 *
 * Keeps two descriptors. From the second command on it keeps, for each of up to eight
 * commands that run at once, a process that is in the sandbox already, another that
 * guards it, and three descriptors: then a command costs the same for one rule and
 * for ten thousand. What a command inherits beside its options (umask, limits,
 * priority) is as it was when that process was made. If it cannot be made, or the
 * arguments and environment exceed 90 KB, a command enters the sandbox by itself.
 *
 * The errors are those of nono_sandbox_apply_with_options(); ERR_INVALID_ARG if
 * out_sandbox is NULL. On macOS every function of this section is
 * ERR_UNSUPPORTED_PLATFORM so far. */
NONO_API enum NonoErrorCode nono_sandbox_prepare(const struct NonoCapabilitySet *caps,
                                                 const struct NonoApplyOptions *options,
                                                 struct NonoPreparedSandbox **out_sandbox);
/* Processes that run in it go on. */
NONO_API void nono_prepared_sandbox_free(struct NonoPreparedSandbox *sandbox);

/* Starts a command and returns when its program runs. argv[0] names the program: a
 * path, or a name that is looked for as execvp(3) does; its own links count. The set
 * must grant reading (which is executing) of the program, its interpreter and its
 * libraries. options may be NULL.
 *
 * ERR_INVALID_ARG: an argument, or an environment variable, is refused.
 * ERR_BLOCKED_COMMAND: the set blocks it. ERR_UNKNOWN: the program or the directory
 * does not exist. ERR_SANDBOX_INIT: a limit cannot be enforced on this system.
 * ERR_IO: it could not be started; nono_last_spawn_stage() and nono_last_os_error()
 * tell where and why. */
NONO_API enum NonoErrorCode nono_sandbox_spawn(const struct NonoPreparedSandbox *sandbox, const char *const *argv,
                                               const struct NonoSpawnOptions *options,
                                               struct NonoProcess **out_process);

/* Waits so many nanoseconds for the end of the command, for ever if timeout_ns is
 * negative, not at all if 0; then stores how it is. Returns early, with has_ended
 * false, when a signal handler has run. ERR_INVALID_ARG for NULL. */
NONO_API enum NonoErrorCode nono_process_wait(struct NonoProcess *process, int64_t timeout_ns,
                                              struct NonoProcessStatus *out_status);

/* Returns a sentence on why the program does not run, or NULL if it does, or did. */
NONO_API char *nono_process_failure(struct NonoProcess *process);

/* Sends a signal to the command itself. ERR_IO, with ESRCH, when it has ended. */
NONO_API enum NonoErrorCode nono_process_signal(struct NonoProcess *process, int32_t signal);

/* Has the command and all that it started killed. Does not wait for that. */
NONO_API enum NonoErrorCode nono_process_kill(struct NonoProcess *process);

/* Returns a descriptor that poll(2) reports as readable when the command has ended,
 * for an event loop; it stays the process's, and is not to be read. -1 for NULL. */
NONO_API int32_t nono_process_descriptor(const struct NonoProcess *process);

/* Returns the caller's end of a pipe (0: standard input, 1: output, 2: error), which
 * is the caller's to close from now on; -1 if there is none, or it was taken. */
NONO_API int32_t nono_process_take_descriptor(struct NonoProcess *process, uint32_t stream);

/* Feeds and drains the pipes that were not taken, and returns when the command has
 * ended. Output that a process outside was handed does not delay that. ERR_UNKNOWN,
 * with the diagnostic CANCELLED, if the listener ended it; the output is stored all
 * the same. communication may be NULL. */
NONO_API enum NonoErrorCode nono_process_communicate(struct NonoProcess *process,
                                                     const struct NonoCommunication *communication,
                                                     struct NonoOutput *out_output);

/* Ends the command if it still runs, waits until all of it has ended, and frees the
 * handle. In a child of fork() that has copied the handle, it only frees. */
NONO_API void nono_process_free(struct NonoProcess *process);

/* Diagnostics: JSON reports about a command that ran in a sandbox */

/* Returns {"exit_code":..,"denials":[..],"ipc_denials":[..],"violations":[..],
 * "diagnostics":[..]}. The three texts are JSON lists that are copied into the
 * report; NULL and "" are empty lists. NULL with ERR_CONFIG_PARSE if one is not. */
NONO_API char *nono_session_diagnostic_report_to_json(int32_t exit_code, const char *denials_json,
                                                      const char *ipc_denials_json, const char *violations_json);

/* Returns {"session":<session_json>} or, with proxy diagnostics that are neither
 * NULL nor empty, {"session":..,"proxy":..}. NULL with ERR_CONFIG_PARSE if a text
 * is not JSON, and with ERR_INVALID_ARG if session_json is NULL or not UTF-8. */
NONO_API char *nono_merge_diagnostic_report_json(const char *session_json, const char *proxy_diagnostics_json);

/* Returns the same report about a command that ended with exit_code and wrote these
 * bytes to its standard error in a sandbox of the set: what its messages say was
 * missing or refused and the set does not give, with the grant that would help.
 * working_directory is that of the command, or NULL if it does not matter: what is
 * below it gets the remedy {"kind":"allow_cwd"}.
 *
 * The paths are looked up now, for the grants that cover them and for what is a
 * directory. The command writes its messages itself and may ask for anything in
 * them: show the report to somebody, do not follow it blindly. The fields are told in
 * docs/diagnostics.md. NULL with ERR_INVALID_ARG for caps that are NULL, or another
 * pointer that is with a length other than 0. Since 0.4. */
NONO_API char *nono_session_diagnostics_to_json(int32_t exit_code, const char *stderr_bytes, size_t stderr_length,
                                                const struct NonoCapabilitySet *caps, const char *working_directory,
                                                size_t working_directory_length);

/* What a program needs to start. Since 0.4.
 *
 * These functions read files and never run one: the program may be untrusted. What
 * they find is the program, the interpreters of its "#!" lines (and what env(1) is to
 * start there), its dynamic loader with ld.so.cache and ld.so.preload, its libraries
 * where glibc's or musl's loader finds them without LD_LIBRARY_PATH, and for CPython
 * its library directories, its virtual environment and the libraries of its own
 * modules. ELF programs of 64 bits, little endian. What a program opens later is not
 * among it: data, locales, plugins.
 *
 * program is a path, or a name without a slash that is looked up in search_path,
 * directories with colons between them; NULL is the environment's PATH. Both are
 * terminated bytes. Fails with ERR_PATH_NOT_FOUND if something of it does not exist,
 * and the message names it; with ERR_PATH_CANONICALIZATION if something cannot be
 * read or is no program (nono_last_os_error() is ENOEXEC then); with ERR_INVALID_ARG
 * for "program is NULL". */

/* Returns a set that grants reading of all of it, with the source SYSTEM, in the
 * order in which it is needed. The network is allowed in it. */
NONO_API struct NonoCapabilitySet *nono_program_requirements(const char *program, const char *search_path);

/* Adds the same grants to a set: all of them or, on failure, none. */
NONO_API enum NonoErrorCode nono_capability_set_allow_program(struct NonoCapabilitySet *caps, const char *program,
                                                              const char *search_path);

/* Returns the same with the reasons, as JSON:
 *
 *     [{"path":"/usr/lib/x86_64-linux-gnu/libc.so.6","is_file":true,"kind":"library",
 *       "name":"/lib/x86_64-linux-gnu/libc.so.6","needed_by":"/usr/bin/cat"}]
 *
 * kind is "program", "interpreter", "loader", "loader_file", "library" or
 * "python_library"; name is the path by which it was found, path what that led to. */
NONO_API char *nono_program_requirements_to_json(const char *program, const char *search_path);

/* Returns one line that says why a program could not be started in a sandbox of the
 * set: "cannot execute /usr/bin/cat: its loader /lib64/ld-linux-x86-64.so.2 is not
 * granted for reading; grant /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2". os_error
 * is the errno of execve(2), or 0 for a program that did start and whose loader then
 * failed. NULL only with ERR_INVALID_ARG. */
NONO_API char *nono_explain_exec_failure(const struct NonoCapabilitySet *caps, const char *program,
                                         const char *search_path, int32_t os_error);

#ifdef __cplusplus
}
#endif

#endif /* NONO_H */
