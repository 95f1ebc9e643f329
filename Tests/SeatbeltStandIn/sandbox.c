/* SPDX-License-Identifier: Apache-2.0
 *
 * The stand-in of sandbox.h. */
#define _POSIX_C_SOURCE 200809L
#include "sandbox.h"

#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

static int next_code;
static char *next_error;
static char *last_profile;
static uint64_t last_flags;
static int errors;

EXPORTED int sandbox_init(const char *profile, uint64_t flags, char **errorbuf) {
    free(last_profile);
    last_profile = strdup(profile);
    last_flags = flags;
    *errorbuf = next_error == NULL ? NULL : strdup(next_error);
    errors += *errorbuf != NULL;
    return next_code;
}

EXPORTED void sandbox_free_error(char *errorbuf) {
    errors--;
    free(errorbuf);
}

EXPORTED void stand_in_answer(int code, const char *error) {
    free(next_error);
    next_code = code;
    next_error = error == NULL ? NULL : strdup(error);
}

EXPORTED const char *stand_in_profile(void) {
    return last_profile;
}

EXPORTED uint64_t stand_in_flags(void) {
    return last_flags;
}

EXPORTED int stand_in_errors(void) {
    return errors;
}
