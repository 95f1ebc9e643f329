/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that cannot be read: each call about them fails. Needs the shim (Tests/shim/faults.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static void begin(const char *faults) {
    setenv("NONO_TEST_FAIL", faults, 1);
}

static void end(void) {
    unsetenv("NONO_TEST_FAIL");
    char *directory = getcwd(NULL, 0);
    free(directory);
}

#define UNREADABLE(faults, why, number)                                                                                \
    do {                                                                                                               \
        begin(faults);                                                                                                 \
        FAILS(nono_capability_set_allow_program(caps, "/bin/true", NULL), NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION,   \
              CONFIGURATION_ERROR, .message = "Cannot start /bin/true: " why, .os_error = number,                      \
              .path = "/bin/true");                                                                                    \
        end();                                                                                                         \
        CHECK_INT(nono_capability_set_fs_count(caps), 0);                                                              \
        CHECK_INT(open_descriptors(), descriptors);                                                                    \
    } while (0)

static void reading(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    int descriptors = open_descriptors();
    UNREADABLE("openat_to_read:13", "it cannot be read", EACCES);
    UNREADABLE("openat_to_read:24", "it cannot be read", EACCES);
    UNREADABLE("pread64:5", "it cannot be read", EACCES);
    /* Its libraries cannot be read: none of them is what the loader would take. */
    begin("openat_to_read:13:2,openat_to_read:13:3,openat_to_read:13:4,openat_to_read:13:5,openat_to_read:13:6,"
          "openat_to_read:13:7,openat_to_read:13:8");
    nono_clear_error();
    CHECK_INT(nono_capability_set_allow_program(caps, "/bin/true", NULL), NONO_ERROR_CODE_ERR_PATH_NOT_FOUND);
    char *message = nono_last_error();
    CHECK(message != NULL && strstr(message, " is in none of the directories of the dynamic loader") != NULL);
    nono_string_free(message);
    end();
    CHECK_INT(open_descriptors(), descriptors);
    /* Interrupted, it is read again. */
    begin("pread64:4:1");
    CHECK_OK(nono_capability_set_allow_program(caps, "/bin/true", NULL));
    end();
    nono_capability_set_free(caps);
}

/* Without the list of Python's own modules, what they need is unknown: the rest is granted. */
static void listing(void) {
    if (access("/usr/bin/python3", X_OK) != 0) {
        check_skip("there is no /usr/bin/python3");
        return;
    }
    struct NonoCapabilitySet *whole = nono_program_requirements("/usr/bin/python3", NULL);
    int descriptors = open_descriptors();
    begin("getdents64:5");
    struct NonoCapabilitySet *caps = nono_program_requirements("/usr/bin/python3", NULL);
    end();
    CHECK(caps != NULL);
    CHECK(nono_capability_set_fs_count(caps) < nono_capability_set_fs_count(whole));
    CHECK_INT(open_descriptors(), descriptors);
    nono_capability_set_free(caps);
    nono_capability_set_free(whole);
}

static const struct test tests[] = {{"shim", require_shim}, {"reading", reading}, {"listing", listing}};

CHECK_MAIN("programs", tests)
