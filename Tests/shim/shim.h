/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two halves of the shim share; faults.c says what it is for. */
#ifndef NONO_SHIM_H
#define NONO_SHIM_H

#include <stddef.h>
#include <stdint.h>

/* The same numbers on every architecture; the build host's headers may lack them. */
enum { SHIM_OPENAT2 = 437, SHIM_CREATE_RULESET = 444, SHIM_ADD_RULE = 445, SHIM_RESTRICT_SELF = 446 };

/* Sets errno and returns -1. */
long shim_refuse(int error);
/* The errno with which NONO_TEST_FAIL makes this call fail, or 0. */
int shim_fault(const char *name);
/* libc's syscall(2). */
long shim_syscall(long number, long a, long b, long c, long d, long e, long f);

/* Returns the descriptor of the trace, or -1. It is opened before the call that is told: afterwards the sandbox may
 * forbid it. */
int shim_begin_trace(void);
/* Appends one line, and closes the trace. Keeps errno. */
__attribute__((format(printf, 3, 4))) void shim_end_trace(int trace, long result, const char *format, ...);
/* Writes the path of an open descriptor, terminated. */
void shim_path_of(int fd, char *path, size_t size);

/* The system calls of landlock(7), emulated as the environment says (landlock.c). */
long shim_create_ruleset(const void *attr, size_t size, uint32_t flags);
long shim_add_rule(int ruleset, int type, const void *attr, uint32_t flags);
long shim_restrict_self(int ruleset, uint32_t flags);

#endif
