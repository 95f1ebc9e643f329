/* SPDX-License-Identifier: Apache-2.0
 *
 * What several of the C tests do with files, and what a process is allowed to do: each try_* makes one attempt and
 * returns 0 or the errno. */
#ifndef NONO_SUPPORT_H
#define NONO_SUPPORT_H

#include <stdint.h>
#include <sys/types.h>

#include "check.h"

/* Making things. Each is a check that it worked. */
void make_directory(const char *path);
void make_file(const char *path, const char *contents);
void make_link(const char *target, const char *path);

/* The absolute, resolved form of a path. Nobody frees it; only for the main thread. */
const char *absolute(const char *path);
/* printf() into such a text. */
__attribute__((format(printf, 1, 2))) const char *text(const char *format, ...);

/* Attempts on files. */
int try_read(const char *path);
int try_list(const char *path);
int try_write(const char *path);  /* an existing file, without truncating it */
int try_append(const char *path); /* likewise */
int try_truncate(const char *path);
int try_create(const char *path); /* a new file, with contents */
int try_remove(const char *path);
int try_mkdir(const char *path);
int try_rmdir(const char *path);
int try_rename(const char *from, const char *to);
int try_hard_link(const char *from, const char *to);
int try_symlink(const char *path);
int try_mknod(const char *path, mode_t type, unsigned major, unsigned minor);
/* Starts a program. A file that may be executed but is no program is ENOEXEC. */
int try_exec(const char *path);

/* Attempts on the network: TCP over 127.0.0.1. */
int try_bind(uint16_t port);
int try_connect(uint16_t port);
/* A listening socket on a port of its own. */
int listen_on_loopback(uint16_t *port);

/* EACCES, or EPERM from a filter of system calls. */
bool is_denied(int error);

/* A set with one directory or one file granted. */
struct NonoCapabilitySet *caps_with_path(const char *path, uint32_t mode);
struct NonoCapabilitySet *caps_with_file(const char *path, uint32_t mode);

/* Applies and frees; a failure is printed. */
void apply(struct NonoCapabilitySet *caps);
/* The ABI of the running kernel; 0 without Landlock. */
int landlock_abi(void);
/* Whether the kernel has at least this ABI; counts a skip if not. */
bool has_landlock(int abi);
/* Ends the program, before it restricts itself, unless the shim is loaded (Tests/shim/faults.c). */
void require_shim(void);
/* The number of open descriptors. */
int open_descriptors(void);

#endif
