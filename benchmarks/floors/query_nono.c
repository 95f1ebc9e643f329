/* SPDX-License-Identifier: Apache-2.0
 *
 * nono_query_context_query_path() as a C program calls it, to tell what the library costs from what Python adds:
 * `query_nono MILLISECONDS GRANTS` grants so many of the paths it reads, asks about the last one for so long, and
 * prints the median in microseconds. */
#define _GNU_SOURCE
#include <limits.h>
#include <nono.h>
#include <string.h>

#include "floor.h"

enum { BATCHES = 5, ONCE = 1000 };

static void ask(const struct NonoQueryContext *context, const char *path) {
    struct NonoQueryResult result;
    require(nono_query_context_query_path(context, path, NONO_ACCESS_MODE_READ, &result) == NONO_ERROR_CODE_OK &&
                result.status == NONO_QUERY_STATUS_ALLOWED,
            path);
    nono_string_free(result.granted_path);
    nono_string_free(result.access);
}

int main(int argc, char **argv) {
    char path[PATH_MAX];
    double batches[BATCHES];
    require(argc == 3, "usage: query_nono MILLISECONDS GRANTS <PATHS");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (int i = atoi(argv[2]); i > 0; i--) {
        require(fgets(path, sizeof path, stdin) != NULL, "paths");
        path[strcspn(path, "\n")] = '\0';
        require(nono_capability_set_allow_path(caps, path, NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK, path);
    }
    struct NonoQueryContext *context = nono_query_context_new(caps);
    for (int batch = 0; batch < BATCHES; batch++) {
        int64_t start = nanoseconds();
        int64_t end = start;
        int count = 0;
        for (; (double)(end - start) < atof(argv[1]) * 1e6 / BATCHES; count += ONCE) {
            for (int i = 0; i < ONCE; i++) {
                ask(context, path);
            }
            end = nanoseconds();
        }
        batches[batch] = (double)(end - start) / count / 1000;
    }
    printf("%.4f\n", median(batches, BATCHES));
    return 0;
}
