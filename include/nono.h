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
 *   the child may call everything; between vfork() and exec, or in a signal
 *   handler, nothing.
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
    /* Reserved: a command is on the block list. */
    NONO_ERROR_CODE_ERR_BLOCKED_COMMAND = -8,
    /* Text is not valid JSON, or a saved state does not fit this system. */
    NONO_ERROR_CODE_ERR_CONFIG_PARSE = -9,
    /* Reserved. */
    NONO_ERROR_CODE_ERR_PROFILE_PARSE = -10,
    /* Reserved: input or output failed. */
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

/* Puts a command name on the allow or block list. Lists are kept and saved with
 * the set; the kernel does not enforce them. "cmd is NULL or invalid UTF-8". */
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

#ifdef __cplusplus
}
#endif

#endif /* NONO_H */
