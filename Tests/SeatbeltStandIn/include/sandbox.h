/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for <sandbox.h> of macOS where there is none: the two functions that are called, sandbox_init(3), and what
 * a test does with them. */
#ifndef STAND_IN_SANDBOX_H
#define STAND_IN_SANDBOX_H

#include <stdint.h>

#define STAND_IN_DEPRECATED __attribute__((deprecated))

int sandbox_init(const char *profile, uint64_t flags, char **errorbuf) STAND_IN_DEPRECATED;
void sandbox_free_error(char *errorbuf) STAND_IN_DEPRECATED;

/* What the next sandbox_init() returns, and the text that it leaves, or NULL. */
void stand_in_answer(int code, const char *error);
/* The profile and the flags of the last call, and how many error texts are not freed. */
const char *stand_in_profile(void);
uint64_t stand_in_flags(void);
int stand_in_errors(void);

#endif
