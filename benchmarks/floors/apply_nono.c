/* SPDX-License-Identifier: Apache-2.0
 *
 * nono_sandbox_apply() as a C program calls it, to tell what the library costs from what Python adds: `apply_nono RULES
 * TIMES` is to the library what apply.c is to the kernel. */
#define _GNU_SOURCE
#include <limits.h>
#include <nono.h>
#include <string.h>

#include "floor.h"

static void apply(void *caps) {
    require(nono_sandbox_apply(caps) == NONO_ERROR_CODE_OK, "nono_sandbox_apply");
}

int main(int argc, char **argv) {
    char line[PATH_MAX];
    require(argc == 3, "usage: apply_nono RULES TIMES <PATHS");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    nono_capability_set_set_network_blocked(caps, true);
    for (int i = atoi(argv[1]); i > 0; i--) {
        require(fgets(line, sizeof line, stdin) != NULL, "paths");
        line[strcspn(line, "\n")] = '\0';
        require(nono_capability_set_allow_path(caps, line, NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK, line);
    }
    printf("%.4f\n", median_in_children(apply, caps, (size_t)atoi(argv[2])));
    return 0;
}
