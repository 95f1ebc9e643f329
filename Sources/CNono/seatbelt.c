/* SPDX-License-Identifier: Apache-2.0
 *
 * Seatbelt, sandbox_init(3) of macOS, which has been marked as deprecated since 10.8 and has no successor for programs
 * that are not app bundles. */
#include "nono_sys.h"

#include <sandbox.h>

#pragma clang diagnostic ignored "-Wdeprecated-declarations"

int nono_sys_seatbelt_apply(const char *profile, char **error) {
    *error = NULL;
    /* Flags of 0: `profile` is a profile, and not the name of one. */
    return sandbox_init(profile, 0, error);
}

void nono_sys_seatbelt_free_error(char *error) {
    if (error != NULL) {
        sandbox_free_error(error);
    }
}
