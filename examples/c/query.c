/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks what a sandbox would allow, without applying it.
 *
 *     make -C examples/c LIBDIR=directory-of-libnono.so
 */
#include <stdio.h>
#include <stdlib.h>

#include <nono.h>

static void print_last_error(void) {
    char *why = nono_last_error();
    fprintf(stderr, "%s\n", why);
    nono_string_free(why);
}

/* A result's strings belong to the caller; those that do not fit the reason are NULL. */
static void release(struct NonoQueryResult *result) {
    nono_string_free(result->granted_path);
    nono_string_free(result->access);
    nono_string_free(result->granted);
    nono_string_free(result->requested);
}

static bool ask(const struct NonoQueryContext *context, const char *path, uint32_t mode) {
    struct NonoQueryResult result;
    if (nono_query_context_query_path(context, path, mode, &result) != NONO_ERROR_CODE_OK) {
        return false;
    }
    printf("%-6s %-20s ", mode == NONO_ACCESS_MODE_READ ? "read" : "write", path);
    switch (result.reason) {
    case NONO_QUERY_REASON_GRANTED_PATH:
        printf("allowed by %s [%s]\n", result.granted_path, result.access);
        break;
    case NONO_QUERY_REASON_INSUFFICIENT_ACCESS:
        printf("denied: granted for %s, not for %s\n", result.granted, result.requested);
        break;
    default:
        printf("denied: not granted\n");
        break;
    }
    release(&result);
    return true;
}

int main(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    bool ok = nono_capability_set_allow_path(caps, "/usr", NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK &&
              nono_capability_set_allow_file(caps, "/dev/null", NONO_ACCESS_MODE_READ_WRITE) == NONO_ERROR_CODE_OK;
    struct NonoQueryContext *context = nono_query_context_new(caps);

    ok = ok && ask(context, "/usr/bin", NONO_ACCESS_MODE_READ) &&      /* below a grant */
         ask(context, "/usr/not/yet/there", NONO_ACCESS_MODE_WRITE) && /* would be created below it */
         ask(context, "/usr/../etc/passwd", NONO_ACCESS_MODE_READ) &&  /* leads out of it */
         ask(context, "/dev/null", NONO_ACCESS_MODE_WRITE);
    if (!ok) {
        print_last_error();
    }

    nono_query_context_free(context);
    nono_capability_set_free(caps);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
