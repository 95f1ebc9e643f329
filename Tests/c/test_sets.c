/* SPDX-License-Identifier: Apache-2.0
 *
 * Capability sets: what goes in comes out. */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, WRITE = 1, READ_WRITE = 2 };

static void empty(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK(caps != NULL);
    CHECK_INT(nono_capability_set_fs_count(caps), 0);
    CHECK_INT(nono_capability_set_network_mode(caps), NONO_NETWORK_MODE_ALLOW_ALL);
    CHECK_INT(nono_capability_set_proxy_port(caps), 0);
    CHECK(!nono_capability_set_is_network_blocked(caps));
    CHECK(!nono_capability_set_path_covered(caps, "/"));
    CHECK_OWNED(nono_capability_set_summary(caps), "(no capabilities granted)\nNetwork:\n  outbound: allowed");
    nono_capability_set_deduplicate(caps);
    CHECK_INT(nono_capability_set_fs_count(caps), 0);
    nono_capability_set_free(caps);
}

static void grants(void) {
    make_directory("d");
    make_file("f", "");
    make_link("d", "l");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path(caps, "l", READ));
    CHECK_OK(nono_capability_set_allow_file(caps, "f", WRITE));
    CHECK_OK(nono_capability_set_allow_path(caps, "d", READ_WRITE));
    CHECK_OK(nono_capability_set_allow_path(caps, "d", READ_WRITE));
    static const uint32_t modes[] = {READ, WRITE, READ_WRITE, READ_WRITE};
    static const char *const originals[] = {"l", "f", "d", "d"};
    CHECK_INT(nono_capability_set_fs_count(caps), 4);
    for (uintptr_t i = 0; i < 4; i++) {
        CHECK_OWNED(nono_capability_set_fs_original(caps, i), originals[i]);
        CHECK_OWNED(nono_capability_set_fs_resolved(caps, i), absolute(originals[i]));
        CHECK_INT(nono_capability_set_fs_access(caps, i), modes[i]);
        CHECK_INT(nono_capability_set_fs_is_file(caps, i), i == 1);
        CHECK_INT(nono_capability_set_fs_source_tag(caps, i), NONO_CAPABILITY_SOURCE_TAG_USER);
        NO_ERROR(CHECK(nono_capability_set_fs_source_group_name(caps, i) == NULL));
    }
    const char *here = absolute(".");
    CHECK_OWNED(nono_capability_set_summary(caps),
                text("Filesystem:\n  %s/d [read] (dir)\n  %s/f [write] (file)\n  %s/d [read+write] (dir)\n"
                     "  %s/d [read+write] (dir)\nNetwork:\n  outbound: allowed",
                     here, here, here, here));
    nono_capability_set_free(caps);
}

static void network(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_network_blocked(caps, true));
    CHECK_OK(nono_capability_set_set_network_blocked(caps, true));
    CHECK_INT(nono_capability_set_network_mode(caps), NONO_NETWORK_MODE_BLOCKED);
    CHECK(nono_capability_set_is_network_blocked(caps));
    CHECK_OWNED(nono_capability_set_summary(caps), "(no capabilities granted)\nNetwork:\n  outbound: blocked");
    CHECK_OK(nono_capability_set_set_network_blocked(caps, false));
    CHECK_INT(nono_capability_set_network_mode(caps), NONO_NETWORK_MODE_ALLOW_ALL);

    CHECK_OK(nono_capability_set_set_proxy_port(caps, 8080));
    CHECK_INT(nono_capability_set_network_mode(caps), NONO_NETWORK_MODE_PROXY_ONLY);
    CHECK_INT(nono_capability_set_proxy_port(caps), 8080);
    CHECK(nono_capability_set_is_network_blocked(caps));
    CHECK_OWNED(nono_capability_set_summary(caps),
                "(no capabilities granted)\nNetwork:\n  outbound: proxy-only (localhost:8080)");
    /* The mode again keeps the port; another mode forgets it. */
    CHECK_OK(nono_capability_set_set_network_mode(caps, NONO_NETWORK_MODE_PROXY_ONLY));
    CHECK_INT(nono_capability_set_proxy_port(caps), 8080);
    CHECK_OK(nono_capability_set_set_proxy_port(caps, UINT16_MAX));
    CHECK_INT(nono_capability_set_proxy_port(caps), 65535);
    CHECK_OK(nono_capability_set_set_network_mode(caps, NONO_NETWORK_MODE_BLOCKED));
    CHECK_INT(nono_capability_set_proxy_port(caps), 0);
    CHECK_OK(nono_capability_set_set_network_mode(caps, NONO_NETWORK_MODE_PROXY_ONLY));
    CHECK_INT(nono_capability_set_proxy_port(caps), 0);
    CHECK_INT(nono_capability_set_network_mode(caps), NONO_NETWORK_MODE_PROXY_ONLY);
    CHECK_OK(nono_capability_set_set_network_mode(caps, NONO_NETWORK_MODE_ALLOW_ALL));
    CHECK(!nono_capability_set_is_network_blocked(caps));
    nono_capability_set_free(caps);
}

static void copies(void) {
    make_directory("a");
    make_directory("b");
    struct NonoCapabilitySet *caps = caps_with_path("a", READ);
    struct NonoCapabilitySet *copy = nono_capability_set_copy(caps);
    CHECK_OK(nono_capability_set_allow_path(copy, "b", READ));
    CHECK_OK(nono_capability_set_set_network_blocked(caps, true));
    CHECK_INT(nono_capability_set_fs_count(caps), 1);
    CHECK_INT(nono_capability_set_fs_count(copy), 2);
    CHECK(!nono_capability_set_is_network_blocked(copy));
    nono_capability_set_free(caps);
    CHECK_OWNED(nono_capability_set_fs_resolved(copy, 0), absolute("a"));
    CHECK(nono_capability_set_path_covered(copy, "a/x") && nono_capability_set_path_covered(copy, "b/x"));
    nono_capability_set_free(copy);
}

/* A command is any text. What became of it shows in a saved state. */
static void commands(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_command(caps, "git"));
    CHECK_OK(nono_capability_set_allow_command(caps, ""));
    CHECK_OK(nono_capability_set_allow_command_bytes(caps, "make...", 4));
    CHECK_OK(nono_capability_set_allow_command_bytes(caps, NULL, 0));
    CHECK_OK(nono_capability_set_allow_command_bytes(caps, "a\0b", 3));
    CHECK_OK(nono_capability_set_block_command(caps, "r\xc3\xa9"));
    CHECK_OK(nono_capability_set_block_command_bytes(caps, "\xf0\x9f\x98\x80", 4));
    struct NonoSandboxState *state = nono_sandbox_state_from_caps(caps);
    CHECK_OWNED(nono_sandbox_state_to_json(state),
                "{\n  \"fs\": [],\n  \"net_blocked\": false,\n  \"allowed_commands\": [\n    \"git\",\n    \"\",\n"
                "    \"make\",\n    \"\",\n    \"a\\u0000b\"\n  ],\n"
                "  \"blocked_commands\": [\n    \"r\xc3\xa9\",\n    \"\xf0\x9f\x98\x80\"\n  ]\n}");
    nono_sandbox_state_free(state);
    nono_capability_set_free(caps);
}

#define REFUSED_RULE(rule, text)                                                                                       \
    FAILS(nono_capability_set_add_platform_rule(caps, (rule)), NONO_ERROR_CODE_ERR_SANDBOX_INIT, CONFIGURATION_ERROR,  \
          .message = "Sandbox initialization failed: " text)

static void platform_rules(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_add_platform_rule(caps, "(deny mach-lookup (global-name \"a\"))"));
    CHECK_OK(nono_capability_set_add_platform_rule_bytes(caps, "(allow file-read* (subpath \"/usr\"))...", 35));
    REFUSED_RULE("foo", "platform rule must be an S-expression starting with '(': foo");
    REFUSED_RULE("", "platform rule must be an S-expression starting with '(': ");
    REFUSED_RULE("(deny x", "platform rule has unbalanced parentheses: (deny x");
    REFUSED_RULE("(deny x))", "platform rule has unbalanced parentheses: (deny x))");
    REFUSED_RULE("(deny \"x)", "platform rule has unterminated string");
    REFUSED_RULE("(deny #| x)", "platform rule has unterminated block comment");
    REFUSED_RULE("(allow file-read* (subpath \"/\"))", "platform rule must not grant root-level read access");
    REFUSED_RULE("(allow file-write*(subpath \"\\/\"))", "platform rule must not grant root-level write access");
    struct NonoSandboxState *state = nono_sandbox_state_from_caps(caps);
    CHECK_OWNED(nono_sandbox_state_to_json(state),
                "{\n  \"fs\": [],\n  \"net_blocked\": false,\n  \"platform_rules\": [\n"
                "    \"(deny mach-lookup (global-name \\\"a\\\"))\",\n"
                "    \"(allow file-read* (subpath \\\"/usr\\\"))\"\n  ]\n}");
    nono_sandbox_state_free(state);
    nono_capability_set_free(caps);
}

/* One grant of each directory and file is left; READ and WRITE are united, and a spelling by a link is kept. */
static void deduplicate(void) {
    make_directory("d");
    make_directory("e");
    make_file("f", "");
    make_link("d", "l1");
    make_link("d", "l2");
    const char *d = absolute("d");
    struct {
        struct {
            const char *path;
            uint32_t mode;
        } grants[4];
        const char *expected; /* "original access" of each that is left */
    } cases[] = {
        {{{"d", READ}, {"e", READ}, {"d", READ_WRITE}}, "e 0, d 2"},
        {{{"d", READ}, {"e", READ}, {"d", WRITE}}, "d 2, e 0"},
        {{{d, READ}, {"l1", READ}}, "l1 0"},
        {{{"l1", READ}, {d, READ}}, "l1 0"},
        {{{"l1", READ}, {"l2", READ}}, "l1 0"},
        {{{d, READ}, {"l1", READ}, {"l2", READ}}, "l2 0"},
        {{{"l1", READ}, {"l2", READ_WRITE}}, "l2 2"},
        {{{"l1", READ}, {d, READ_WRITE}, {"l2", WRITE}}, "l2 2"},
        {{{"./d", READ}, {"d/", READ}, {"d/../d", READ}}, "./d 0"},
        {{{"d", WRITE}, {"d", WRITE}, {"d", READ}, {"d", WRITE}}, "d 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct NonoCapabilitySet *caps = nono_capability_set_new();
        for (size_t k = 0; k < 4 && cases[i].grants[k].path != NULL; k++) {
            CHECK_OK(nono_capability_set_allow_path(caps, cases[i].grants[k].path, cases[i].grants[k].mode));
        }
        for (int pass = 0; pass < 2; pass++) {
            nono_capability_set_deduplicate(caps);
            char left[512] = "";
            for (uintptr_t k = 0; k < nono_capability_set_fs_count(caps); k++) {
                char *original = nono_capability_set_fs_original(caps, k);
                strcat(left, text("%s%s %u", k > 0 ? ", " : "", original, nono_capability_set_fs_access(caps, k)));
                nono_string_free(original);
            }
            CHECK_TEXT(left, cases[i].expected);
            CHECK(nono_capability_set_path_covered(caps, "d/x"));
        }
        nono_capability_set_free(caps);
    }
}

static void path_covered(void) {
    make_directory("d");
    make_directory("d2");
    make_file("f", "");
    make_file("d/f", "");
    make_link("../d2", "d/out");
    make_link("d", "l");
    struct NonoCapabilitySet *caps = caps_with_path("l", WRITE);
    CHECK_OK(nono_capability_set_allow_file(caps, "f", READ));
    static const char *const covered[] = {"d", "d/", "l", "l/f", "d/f", "d/missing", "d/missing/x", "d2/../d/f", "./d"};
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++) {
        CHECK(nono_capability_set_path_covered(caps, covered[i]));
        CHECK(nono_capability_set_path_covered(caps, text("%s/%s", absolute("."), covered[i])));
        CHECK(nono_capability_set_path_covered_bytes(caps, covered[i], strlen(covered[i])));
    }
    /* A file grant covers no path; neither text nor a link makes what is outside look inside. */
    static const char *const outside[] = {
        "", ".", "..", "f", "d2", "d/..", "d/../d2", "d/out", "d/out/x", "d/missing/../../d2", "/", "d\n"};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        CHECK(!nono_capability_set_path_covered(caps, outside[i]));
        CHECK(!nono_capability_set_path_covered_bytes(caps, outside[i], strlen(outside[i])));
    }
    CHECK(nono_capability_set_path_covered_bytes(caps, "d/a\0b", 5));
    CHECK(!nono_capability_set_path_covered_bytes(caps, "d\0/", 3));
    nono_capability_set_free(caps);
    caps = caps_with_path("/", READ);
    CHECK(nono_capability_set_path_covered(caps, "/") && nono_capability_set_path_covered(caps, "f") &&
          nono_capability_set_path_covered(caps, "/no/such/thing"));
    nono_capability_set_free(caps);
}

static void support(void) {
    CHECK_INT(nono_sandbox_is_supported(), landlock_abi() > 0);
    struct NonoSupportInfo info = nono_sandbox_support_info();
    CHECK_INT(info.is_supported, landlock_abi() > 0);
    CHECK_TEXT(info.platform, "linux");
    CHECK(info.details != NULL && strstr(info.details, info.is_supported ? "Landlock V" : "not available") != NULL);
    nono_string_free(info.platform);
    nono_string_free(info.details);
}

static const struct test tests[] = {
    {"empty", empty},       {"grants", grants},        {"network", network},         {"copies", copies},
    {"commands", commands}, {"rules", platform_rules}, {"deduplicate", deduplicate}, {"covered", path_covered},
    {"support", support},
};

CHECK_MAIN("sets", tests)
