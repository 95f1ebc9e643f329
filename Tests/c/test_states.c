/* SPDX-License-Identifier: Apache-2.0
 *
 * Saved states: what a set becomes as text, and what text becomes. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, WRITE = 1, READ_WRITE = 2 };

/* The JSON of a set, which is freed. */
static char *save(struct NonoCapabilitySet *caps) {
    struct NonoSandboxState *state = nono_sandbox_state_from_caps(caps);
    CHECK(state != NULL);
    char *json = nono_sandbox_state_to_json(state);
    nono_sandbox_state_free(state);
    nono_capability_set_free(caps);
    return json;
}

static const char *entry(const char *original, const char *resolved, const char *access, bool is_file) {
    return text("{\n      \"original\": \"%s\",\n      \"resolved\": \"%s\",\n      \"access\": \"%s\",\n"
                "      \"is_file\": %s\n    }",
                original, resolved, access, is_file ? "true" : "false");
}

static void round_trip(void) {
    make_directory("d");
    make_file("f \"q\" \\", "");
    make_link("d", "l");
    struct NonoCapabilitySet *caps = caps_with_path("l", READ);
    CHECK_OK(nono_capability_set_allow_file(caps, "f \"q\" \\", WRITE));
    CHECK_OK(nono_capability_set_allow_path(caps, "/", READ_WRITE));
    CHECK_OK(nono_capability_set_set_network_blocked(caps, true));
    CHECK_OK(nono_capability_set_allow_command(caps, "git"));
    CHECK_OK(nono_capability_set_block_command(caps, "rm"));
    CHECK_OK(nono_capability_set_add_platform_rule(caps, "(deny x)"));
    const char *here = absolute(".");
    const char *fs = text("%s,\n    %s,\n    %s", entry("l", text("%s/d", here), "read", false),
                          entry("f \\\"q\\\" \\\\", text("%s/f \\\"q\\\" \\\\", here), "write", true),
                          entry("/", "/", "read+write", false));
    const char *expected = text("{\n  \"fs\": [\n    %s\n  ],\n  \"net_blocked\": true,\n"
                                "  \"allowed_commands\": [\n    \"git\"\n  ],\n"
                                "  \"blocked_commands\": [\n    \"rm\"\n  ],\n"
                                "  \"platform_rules\": [\n    \"(deny x)\"\n  ]\n}",
                                fs);
    char *json = save(caps);
    CHECK_TEXT(json, expected);
    struct NonoSandboxState *state = nono_sandbox_state_from_json(json);
    CHECK_INT(nono_sandbox_state_fs_count(state), 3);
    CHECK(nono_sandbox_state_net_blocked(state));
    CHECK_OWNED(nono_sandbox_state_to_json(state), json);
    struct NonoCapabilitySet *restored = nono_sandbox_state_to_caps(state);
    CHECK_INT(nono_capability_set_fs_count(restored), 3);
    CHECK_INT(nono_capability_set_fs_access(restored, 1), WRITE);
    CHECK_INT(nono_capability_set_network_mode(restored), NONO_NETWORK_MODE_BLOCKED);
    CHECK_OWNED(save(restored), json);
    nono_sandbox_state_free(state);
    state = nono_sandbox_state_from_json_bytes(text("%s trailing", json), strlen(json));
    CHECK_OWNED(nono_sandbox_state_to_json(state), json);
    nono_sandbox_state_free(state);
    nono_string_free(json);
}

static void small_states(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OWNED(save(nono_capability_set_copy(caps)), "{\n  \"fs\": [],\n  \"net_blocked\": false\n}");
    CHECK_OK(nono_capability_set_set_proxy_port(caps, 8080));
    struct NonoSandboxState *state = nono_sandbox_state_from_caps(caps);
    /* A snapshot. */
    CHECK_OK(nono_capability_set_set_network_blocked(caps, false));
    CHECK(nono_sandbox_state_net_blocked(state));
    CHECK_INT(nono_sandbox_state_fs_count(state), 0);
    struct NonoCapabilitySet *restored = nono_sandbox_state_to_caps(state);
    CHECK_INT(nono_capability_set_network_mode(restored), NONO_NETWORK_MODE_BLOCKED);
    nono_capability_set_free(restored);
    nono_sandbox_state_free(state);
    nono_capability_set_free(caps);
}

static void bad_json(void) {
    static const struct {
        const char *json;
        const char *error;
    } cases[] = {
        {"", "EOF while parsing a value at line 1 column 0"},
        {"x", "expected value at line 1 column 1"},
        {"{", "EOF while parsing an object at line 1 column 1"},
        {"{}", "missing field `fs` at line 1 column 2"},
        {"{\"fs\":[]}", "missing field `net_blocked` at line 1 column 9"},
        {"{\"fs\":{},\"net_blocked\":false}", "invalid type: map, expected a sequence at line 1 column 6"},
        {"{\"fs\":[],\"net_blocked\":1}", "invalid type: integer `1`, expected a boolean at line 1 column 24"},
        {"{\"fs\":[],\"fs\":[]}", "duplicate field `fs` at line 1 column 13"},
        {"{\"fs\":[],\"net_blocked\":true}x", "trailing characters at line 1 column 29"},
        {"{\"fs\":[],\n\"net_blocked\":true,}", "trailing comma at line 2 column 20"},
        {"{\"fs\":[{\"original\":\"a\"}],\"net_blocked\":true}", "missing field `resolved` at line 1 column 23"},
        {"{\"fs\":[],\"net_blocked\":true,\"allowed_commands\":[1]}",
         "invalid type: integer `1`, expected a string at line 1 column 49"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *message = text("Invalid JSON: %s", cases[i].error);
        FAILS_NULL(nono_sandbox_state_from_json(cases[i].json), CONFIGURATION_ERROR, .message = message);
        FAILS_NULL(nono_sandbox_state_from_json_bytes(cases[i].json, strlen(cases[i].json)), CONFIGURATION_ERROR,
                   .message = message);
    }
    FAILS_NULL(nono_sandbox_state_from_json_bytes("{}\0", 3), CONFIGURATION_ERROR,
               .message = "Invalid JSON: missing field `fs` at line 1 column 2");
}

/* Nesting is limited, so that no text can exhaust the stack. */
static void deep_json(void) {
    enum { DEEP = 200000 };
    static char json[2 * DEEP + 64];
    int start = snprintf(json, sizeof json, "{\"fs\":[],\"net_blocked\":true,\"x\":");
    memset(json + start, '[', DEEP);
    memset(json + start + DEEP, ']', DEEP);
    strcpy(json + start + 2 * DEEP, "}");
    nono_clear_error();
    struct NonoSandboxState *state = nono_sandbox_state_from_json(json);
    if (state == NULL) {
        char *message = nono_last_error();
        CHECK(message != NULL && strstr(message, "recursion limit exceeded at line 1 column") != NULL);
        nono_string_free(message);
    }
    nono_sandbox_state_free(state);
    json[0] = '[';
    memset(json + start, '[', 2 * DEEP);
    CHECK(nono_merge_diagnostic_report_json(json + start, NULL) == NULL);
}

/* Restores a state with one grant. */
static struct NonoCapabilitySet *restore(const char *original, const char *resolved, const char *access, bool is_file) {
    struct NonoSandboxState *state = nono_sandbox_state_from_json(
        text("{\"fs\":[%s],\"net_blocked\":false}", entry(original, resolved, access, is_file)));
    CHECK_INT(nono_sandbox_state_fs_count(state), 1);
    struct NonoCapabilitySet *caps = nono_sandbox_state_to_caps(state);
    nono_sandbox_state_free(state);
    return caps;
}

static void failed_restore(void) {
    make_directory("d");
    make_directory("e");
    make_file("f", "");
    make_link("d", "l");
    const char *d = absolute("d");
    const char *f = absolute("f");
    FAILS_NULL(restore("d", d, "Read", false), CONFIGURATION_ERROR,
               .message = "Configuration parse error: invalid access mode in sandbox state: Read");
    FAILS_NULL(restore("missing", d, "", false), CONFIGURATION_ERROR,
               .message = "Configuration parse error: invalid access mode in sandbox state: ");
    FAILS_NULL(restore("missing", d, "read", false), CONFIGURATION_ERROR, .message = "Path does not exist: missing",
               .os_error = ENOENT, .path = "missing");
    FAILS_NULL(restore("f/", f, "read", true), IO_ERROR,
               .message = "Failed to canonicalize path f/: Not a directory (os error 20)", .os_error = ENOTDIR,
               .path = "f/");
    FAILS_NULL(restore("d", d, "read", true), CONFIGURATION_ERROR, .message = "Expected a file but got a directory: d",
               .path = "d",
               .remediation = "{\"kind\":\"grant_path\",\"path\":\"d\",\"access\":\"Read\",\"is_file\":false}");
    FAILS_NULL(restore("f", f, "read+write", false), CONFIGURATION_ERROR,
               .message = "Expected a directory but got a file: f", .path = "f",
               .remediation = "{\"kind\":\"grant_path\",\"path\":\"f\",\"access\":\"ReadWrite\",\"is_file\":true}");
    FAILS_NULL(restore("a\\u0000b", d, "read", false), CONFIGURATION_ERROR, .message = "Failed to canonicalize path a",
               .path = "a");

    /* A path that leads elsewhere than when it was saved, by a link or from another working directory. */
    struct NonoCapabilitySet *caps = restore("l", d, "read", false);
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), d);
    nono_capability_set_free(caps);
    CHECK(unlink("l") == 0 && symlink("e", "l") == 0);
    FAILS_NULL(restore("l", d, "read", false), CONFIGURATION_ERROR, .path = "l",
               .message = text("Configuration parse error: l led to %s when the sandbox state was saved, and now leads "
                               "to %s",
                               d, absolute("e")));
    make_directory("e/d");
    CHECK_INT(chdir("e"), 0);
    FAILS_NULL(restore("d", d, "read", false), CONFIGURATION_ERROR, .path = "d",
               .message = text("Configuration parse error: d led to %s when the sandbox state was saved, and now leads "
                               "to %s",
                               d, absolute("d")));

    /* A rule is judged when it is used. */
    struct NonoSandboxState *state = nono_sandbox_state_from_json(
        "{\"fs\":[],\"net_blocked\":true,\"platform_rules\":[\"(allow file-read* (subpath \\\"/\\\"))\"]}");
    CHECK(state != NULL);
    FAILS_NULL(nono_sandbox_state_to_caps(state), CONFIGURATION_ERROR,
               .message = "Sandbox initialization failed: platform rule must not grant root-level read access");
    nono_sandbox_state_free(state);
}

static void not_utf8(void) {
    make_directory("n\xff");
    make_link("n\xff", "link");
    struct NonoSandboxState *state;
    struct NonoCapabilitySet *caps = caps_with_path("link", READ);
    state = nono_sandbox_state_from_caps(caps);
    FAILS_NULL(nono_sandbox_state_to_json(state), CONFIGURATION_ERROR,
               .message = "Configuration parse error: Failed to serialize sandbox state: path contains invalid UTF-8 "
                          "characters");
    /* Not as text, but as a state it can be used. */
    struct NonoCapabilitySet *restored = nono_sandbox_state_to_caps(state);
    CHECK_OWNED(nono_capability_set_fs_resolved(restored, 0), text("%s/n\xff", absolute(".")));
    nono_capability_set_free(restored);
    nono_sandbox_state_free(state);
    nono_capability_set_free(caps);
}

static const struct test tests[] = {
    {"round_trip", round_trip},         {"small", small_states}, {"bad_json", bad_json}, {"deep_json", deep_json},
    {"failed_restore", failed_restore}, {"not_utf8", not_utf8},
};

CHECK_MAIN("states", tests)
