/* SPDX-License-Identifier: Apache-2.0
 *
 * The profile for macOS, as every system gives it. What is in it is a matter of the Swift tests; here are the real file
 * system, HOME, and the errors. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, WRITE = 1, READ_WRITE = 2 };

/* Whether the profile of the set has this line. */
static bool has_line(const struct NonoCapabilitySet *caps, const char *line) {
    char *profile = nono_capability_set_seatbelt_profile(caps);
    bool found = CHECK(profile != NULL) && strstr(profile, text("\n%s\n", line)) != NULL;
    nono_string_free(profile);
    return found;
}

static void whole_profile(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_network_blocked(caps, true));
    NO_ERROR(CHECK_OWNED(nono_capability_set_seatbelt_profile(caps),
                         "(version 1)\n"
                         "(deny default)\n"
                         "(allow process-exec*)\n"
                         "(allow process-fork)\n"
                         "(allow process-info* (target self))\n"
                         "(deny process-info* (target others))\n"
                         "(allow sysctl-read)\n"
                         "(allow mach-lookup)\n"
                         "(deny mach-lookup (global-name \"com.apple.SecurityServer\"))\n"
                         "(deny mach-lookup (global-name \"com.apple.securityd\"))\n"
                         "(allow mach-per-user-lookup)\n"
                         "(allow mach-task-name)\n"
                         "(deny mach-priv*)\n"
                         "(allow ipc-posix-shm-read-data)\n"
                         "(allow ipc-posix-shm-write-data)\n"
                         "(allow ipc-posix-shm-write-create)\n"
                         "(allow signal (target self))\n"
                         "(allow system-socket)\n"
                         "(allow system-fsctl)\n"
                         "(allow system-info)\n"
                         "(allow file-read* (literal \"/\"))\n"
                         "(allow file-ioctl (literal \"/dev/tty\"))\n"
                         "(allow file-ioctl (regex #\"^/dev/ttys[0-9]+$\"))\n"
                         "(allow file-ioctl (regex #\"^/dev/pty[a-z][0-9a-f]+$\"))\n"
                         "(allow pseudo-tty)\n"
                         "(deny network*)\n"));
    nono_capability_set_free(caps);
}

static void grants(void) {
    make_directory("d");
    make_file("f\"\\", "");
    make_link("d", "link");
    struct NonoCapabilitySet *caps = caps_with_path("link", READ);
    CHECK_OK(nono_capability_set_allow_file(caps, "f\"\\", WRITE));
    CHECK_OK(nono_capability_set_add_platform_rule(caps, "(deny file-write-unlink)"));
    CHECK(has_line(caps, text("(allow file-read* (subpath \"%s\"))", absolute("d"))));
    CHECK(has_line(caps, text("(allow file-write* (literal \"%s/f\\\"\\\\\"))", absolute("."))));
    CHECK(has_line(caps, text("(allow file-read-metadata (literal \"%s\"))", absolute("."))));
    CHECK(has_line(caps, "(deny file-write-unlink)"));
    CHECK(has_line(caps, "(allow network-bind)"));
    /* Where the spelling was, and not where it would be now. */
    const char *link = text("(allow file-read* (subpath \"%s/link\"))", absolute("."));
    CHECK(has_line(caps, link));
    CHECK_INT(chdir("d"), 0);
    CHECK(has_line(caps, link));
    nono_capability_set_free(caps);
}

static void home(void) {
    static const char securityd[] = "(deny mach-lookup (global-name \"com.apple.securityd\"))";
    make_directory("Library");
    make_directory("Library/Keychains");
    make_file("Library/Keychains/login.keychain-db", "");
    struct NonoCapabilitySet *caps = caps_with_file("Library/Keychains/login.keychain-db", READ);
    CHECK_INT(setenv("HOME", absolute("."), 1), 0);
    CHECK(!has_line(caps, securityd));
    CHECK_INT(setenv("HOME", "/nowhere", 1), 0);
    CHECK(has_line(caps, securityd));
    CHECK_INT(unsetenv("HOME"), 0);
    CHECK(has_line(caps, securityd));
    nono_capability_set_free(caps);
}

static void errors(void) {
    FAILS_NULL(nono_capability_set_seatbelt_profile(NULL), OTHER, .message = "caps pointer is NULL");

    make_directory("a\nb");
    make_file("\xff", "");
    struct NonoCapabilitySet *caps = caps_with_path("a\nb", READ);
    FAILS_NULL(nono_capability_set_seatbelt_profile(caps), CONFIGURATION_ERROR,
               .message =
                   text("Sandbox initialization failed: path contains control character 0x0A: %s", absolute("a\nb")),
               .path = absolute("a\nb"));
    nono_capability_set_free(caps);

    caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_file_bytes(caps, "\xff", 1, READ_WRITE));
    FAILS_NULL(nono_capability_set_seatbelt_profile(caps), CONFIGURATION_ERROR,
               .message =
                   text("Sandbox initialization failed: path contains non-UTF-8 bytes: %s/\xef\xbf\xbd", absolute(".")),
               .path = absolute("\xff"));
    nono_capability_set_free(caps);

    caps = nono_capability_set_new();
    size_t before = 0;
    char *profile = nono_capability_set_seatbelt_profile(caps);
    if (CHECK(profile != NULL && strstr(profile, "(allow network-outbound)") != NULL)) {
        before = (size_t)(strstr(profile, "(allow network-outbound)") - profile);
    }
    nono_string_free(profile);
    static const char rule[] = "(allow \0)";
    CHECK_OK(nono_capability_set_add_platform_rule_bytes(caps, rule, sizeof rule - 1));
    FAILS_NULL(nono_capability_set_seatbelt_profile(caps), CONFIGURATION_ERROR,
               .message = text("Sandbox initialization failed: Invalid profile string: nul byte found in provided "
                               "data at position: %zu",
                               before + strlen(rule)));
    nono_capability_set_free(caps);
}

static const struct test tests[] = {
    {"whole_profile", whole_profile}, {"grants", grants}, {"home", home}, {"errors", errors}};

CHECK_MAIN("seatbelt", tests)
