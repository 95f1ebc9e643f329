/* SPDX-License-Identifier: Apache-2.0
 *
 * What Swift asks of C: the system calls, one wrapper each, and the few services that need C storage. Not installed.
 *
 * A wrapper returns what the system call returns, or -errno; it never changes errno-based state for its caller and
 * never retries but on EINTR where the call has had no effect. */
#ifndef NONO_SYS_H
#define NONO_SYS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which object a path leads to. */
struct nono_sys_identity {
    uint64_t device;
    uint64_t inode;
    uint32_t mode; /* st_mode: the type and the permission bits */
};

/* Paths (path.c) */

/* Opens a path without following any symbolic link, only to name the object (O_PATH). */
int nono_sys_open_object(const char *path);
/* Tells which object an open descriptor is. */
int nono_sys_identify(int fd, struct nono_sys_identity *out);
/* Opens as above, identifies (unless out is NULL) and closes again. */
int nono_sys_identify_path(const char *path, struct nono_sys_identity *out);
/* Writes the absolute path of an object with its names as they are on the disk, terminated; returns its length without
 * the terminator. macOS only, where "/users" leads to "/Users". */
ptrdiff_t nono_sys_name_on_disk(const char *path, char *buffer, size_t size);
/* Reads a link into the buffer, without a terminator; returns its length. -EINVAL: there is an object, not a link. */
ptrdiff_t nono_sys_readlink(const char *path, char *buffer, size_t size);
/* 0 if the path leads to a directory. */
int nono_sys_check_directory(const char *path);
/* Writes the working directory with its terminator; returns its length without. */
ptrdiff_t nono_sys_getcwd(char *buffer, size_t size);
void nono_sys_close(int fd);
/* Whether the path leads to anything, through links. */
bool nono_sys_exists(const char *path);
/* Whether it leads to a file that this process may execute. */
bool nono_sys_is_program(const char *path);

/* Contents (program_files.c) */

int nono_sys_open_to_read(const char *path);
/* Reads as many bytes as there are; returns how many. */
ptrdiff_t nono_sys_read_at(int fd, void *buffer, size_t size, uint64_t offset);
/* getdents64(2). Returns the number of bytes, 0 at the end. */
ptrdiff_t nono_sys_read_entries(int fd, void *buffer, size_t size);

/* Landlock (landlock.c); landlock(7). Not in the headers of older build hosts, hence by number. */

/* The ABI of the running kernel, 1 or more. */
int nono_sys_landlock_abi(void);
/* attr_size is what the kernel's ABI knows of the three words. */
int nono_sys_landlock_create_ruleset(uint64_t handled_fs, uint64_t handled_net, uint64_t scoped, size_t attr_size);
int nono_sys_landlock_add_path(int ruleset, int object, uint64_t rights);
int nono_sys_landlock_add_port(int ruleset, uint16_t port, uint64_t rights);
/* PR_SET_NO_NEW_PRIVS(2const), for the calling thread. */
int nono_sys_no_new_privs(void);

/* Seatbelt (seatbelt.c); macOS only. Returns 0 or the code of the failure, with its text, which may be NULL, for
 * nono_sys_seatbelt_free_error(). */
int nono_sys_seatbelt_apply(const char *profile, char **error);
void nono_sys_seatbelt_free_error(char *error);

/* Services (support.c) */

/* Writes what the system says about an errno, terminated. */
void nono_sys_strerror(int error, char *buffer, size_t size);
/* A malloc'ed, terminated copy, for nono_string_free(); ends the process when there is no memory. */
char *nono_sys_copy_string(const uint8_t *bytes, size_t length);
size_t nono_sys_string_length(const char *text);
void nono_sys_free(void *memory);
/* realloc(3); ends the process when there is no memory. */
uint8_t *nono_sys_resize(uint8_t *memory, size_t size);
/* getenv(3): not to be used while another thread changes the environment. */
const char *nono_sys_getenv(const char *name);
/* One lock for the contents of all handles: held for moments only, and across fork(), so that a child never finds it
 * locked by a thread that it does not have. */
void nono_sys_lock(void);
void nono_sys_unlock(void);

/* What this process put in force (status.c) */

struct nono_sys_status {
    uint64_t allowed;
    uint64_t unenforced;
    uint32_t layers;
    int32_t landlock_abi;
    bool blocks_network;
    bool allows_proxy;
    bool blocks_unix_sockets;
    bool is_incomplete;
};

/* Adds one layer (layers = 1), or the news that an apply failed halfway (layers = 0). */
void nono_sys_add_layer(const struct nono_sys_status *layer);
void nono_sys_get_status(struct nono_sys_status *out);
int nono_sys_has_no_new_privs(void);
int nono_sys_seccomp_mode(void);

/* The calling thread's last error (last_error.c) */

struct nono_sys_last_error {
    bool is_set;
    int32_t diagnostic;
    int32_t os_error;
    uint32_t spawn_stage;
    char *message; /* each of the three is malloc'ed or NULL */
    size_t message_length;
    char *path;
    size_t path_length;
    char *remediation;
};

/* Takes over the strings of *error. */
void nono_sys_set_last_error(const struct nono_sys_last_error *error);
void nono_sys_clear_last_error(void);
/* The calling thread's, valid until its next call into the library. */
const struct nono_sys_last_error *nono_sys_get_last_error(void);

#endif
