/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad arguments of every function, and the error state itself. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

#define CAPS_IS_NULL "caps pointer is NULL"
#define CTX_IS_NULL "ctx pointer is NULL"
#define OUT_IS_NULL "out_result pointer is NULL"
#define BAD_PATH "path is NULL or invalid UTF-8"
#define BAD_CMD "cmd is NULL or invalid UTF-8"
#define BAD_RULE "rule is NULL or invalid UTF-8"

enum { READ = 0, BAD_MODE = 7 };

/* Not UTF-8: a lone continuation byte, a cut sequence, overlong forms, a surrogate, beyond U+10FFFF, 0xFF. */
static const char *const not_utf8[] = {
    "\x80", "a\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "/\xff",
};
enum { NOT_UTF8_COUNT = sizeof not_utf8 / sizeof not_utf8[0] };

/* The two functions that grant, and their forms with a length, refuse the same in the same order. */
static void grants(enum NonoErrorCode (*allow)(struct NonoCapabilitySet *, const char *, uint32_t),
                   enum NonoErrorCode (*allow_bytes)(struct NonoCapabilitySet *, const char *, size_t, uint32_t)) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS_ARGUMENT(allow(NULL, NULL, BAD_MODE), CAPS_IS_NULL);
    FAILS_ARGUMENT(allow(caps, NULL, BAD_MODE), "invalid access mode: 7");
    FAILS_ARGUMENT(allow(caps, "/", 3), "invalid access mode: 3");
    FAILS_ARGUMENT(allow(caps, "/", NONO_ACCESS_MODE_INVALID), "invalid access mode: 4294967295");
    FAILS_ARGUMENT(allow(caps, NULL, READ), BAD_PATH);
    for (size_t i = 0; i < NOT_UTF8_COUNT; i++) {
        FAILS_ARGUMENT(allow(caps, not_utf8[i], READ), BAD_PATH);
    }
    FAILS_ARGUMENT(allow_bytes(NULL, NULL, 1, BAD_MODE), CAPS_IS_NULL);
    FAILS_ARGUMENT(allow_bytes(caps, NULL, 1, BAD_MODE), "invalid access mode: 7");
    FAILS_ARGUMENT(allow_bytes(caps, NULL, 1, READ), BAD_PATH);
    FAILS_ARGUMENT(allow_bytes(caps, NULL, SIZE_MAX, READ), BAD_PATH);
    FAILS(allow_bytes(caps, NULL, 0, READ), NONO_ERROR_CODE_ERR_PATH_NOT_FOUND, CONFIGURATION_ERROR,
          .message = "Path does not exist: ", .os_error = 2, .path = "");
    CHECK_INT(nono_capability_set_fs_count(caps), 0);
    nono_capability_set_free(caps);
}

static void allow_path(void) {
    grants(nono_capability_set_allow_path, nono_capability_set_allow_path_bytes);
}

static void allow_file(void) {
    grants(nono_capability_set_allow_file, nono_capability_set_allow_file_bytes);
}

static void network(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS_ARGUMENT(nono_capability_set_set_network_blocked(NULL, true), CAPS_IS_NULL);
    FAILS_ARGUMENT(nono_capability_set_set_network_mode(NULL, 9), CAPS_IS_NULL);
    FAILS_ARGUMENT(nono_capability_set_set_network_mode(caps, 9), "invalid network mode: 9");
    FAILS_ARGUMENT(nono_capability_set_set_network_mode(caps, 3), "invalid network mode: 3");
    FAILS_ARGUMENT(nono_capability_set_set_network_mode(caps, UINT32_MAX), "invalid network mode: 4294967295");
    FAILS_ARGUMENT(nono_capability_set_set_proxy_port(NULL, 8080), CAPS_IS_NULL);
    FAILS_ARGUMENT(nono_capability_set_block_unix_sockets(NULL), CAPS_IS_NULL);
    CHECK_INT(nono_capability_set_network_mode(caps), NONO_NETWORK_MODE_ALLOW_ALL);
    nono_capability_set_free(caps);
}

/* Commands and rules: text, which must be UTF-8. */
static void texts(enum NonoErrorCode (*add)(struct NonoCapabilitySet *, const char *),
                  enum NonoErrorCode (*add_bytes)(struct NonoCapabilitySet *, const char *, size_t),
                  const char *message) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS_ARGUMENT(add(NULL, NULL), CAPS_IS_NULL);
    FAILS_ARGUMENT(add(caps, NULL), message);
    FAILS_ARGUMENT(add_bytes(NULL, NULL, 1), CAPS_IS_NULL);
    FAILS_ARGUMENT(add_bytes(caps, NULL, 1), message);
    for (size_t i = 0; i < NOT_UTF8_COUNT; i++) {
        FAILS_ARGUMENT(add(caps, not_utf8[i]), message);
        FAILS_ARGUMENT(add_bytes(caps, not_utf8[i], strlen(not_utf8[i])), message);
    }
    nono_capability_set_free(caps);
}

static void commands(void) {
    texts(nono_capability_set_allow_command, nono_capability_set_allow_command_bytes, BAD_CMD);
    texts(nono_capability_set_block_command, nono_capability_set_block_command_bytes, BAD_CMD);
}

static void platform_rules(void) {
    texts(nono_capability_set_add_platform_rule, nono_capability_set_add_platform_rule_bytes, BAD_RULE);
}

/* Functions without a code return the value the header names, and leave an error. */
static void views(void) {
#define NULL_CAPS(call, value) FAILS(call, value, OTHER, .message = CAPS_IS_NULL)
    NULL_CAPS(nono_capability_set_network_mode(NULL), NONO_NETWORK_MODE_ALLOW_ALL);
    NULL_CAPS(nono_capability_set_proxy_port(NULL), 0);
    NULL_CAPS(nono_capability_set_path_covered(NULL, "/"), false);
    NULL_CAPS(nono_capability_set_path_covered_bytes(NULL, "/", 1), false);
    NULL_CAPS(nono_capability_set_is_network_blocked(NULL), false);
    NULL_CAPS(nono_capability_set_unix_sockets_blocked(NULL), false);
    NULL_CAPS(nono_capability_set_fs_count(NULL), 0);
    NULL_CAPS(nono_capability_set_fs_access(NULL, 0), NONO_ACCESS_MODE_INVALID);
    NULL_CAPS(nono_capability_set_fs_is_file(NULL, 0), false);
    NULL_CAPS(nono_capability_set_fs_source_tag(NULL, 0), NONO_CAPABILITY_SOURCE_TAG_USER);
    FAILS_NULL(nono_capability_set_copy(NULL), OTHER, .message = CAPS_IS_NULL);
    FAILS_NULL(nono_capability_set_summary(NULL), OTHER, .message = CAPS_IS_NULL);
    FAILS_NULL(nono_capability_set_fs_original(NULL, 0), OTHER, .message = CAPS_IS_NULL);
    FAILS_NULL(nono_capability_set_fs_resolved(NULL, 0), OTHER, .message = CAPS_IS_NULL);
    FAILS_NULL(nono_capability_set_fs_source_group_name(NULL, 0), OTHER, .message = CAPS_IS_NULL);
    NO_ERROR(nono_capability_set_deduplicate(NULL));

    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS(nono_capability_set_path_covered(caps, NULL), false, OTHER, .message = BAD_PATH);
    FAILS(nono_capability_set_path_covered(caps, "\xff"), false, OTHER, .message = BAD_PATH);
    FAILS(nono_capability_set_path_covered_bytes(caps, NULL, 1), false, OTHER, .message = BAD_PATH);
    NO_ERROR(CHECK(!nono_capability_set_path_covered_bytes(caps, NULL, 0)));
    NO_ERROR(CHECK(!nono_capability_set_path_covered_bytes(caps, "\xff", 1)));
    nono_capability_set_free(caps);
}

static void indexes(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path(caps, ".", READ));
    static const struct {
        uintptr_t index;
        const char *message;
    } cases[] = {{1, "index 1 out of bounds"},
                 {9, "index 9 out of bounds"},
                 {UINT32_MAX, "index 4294967295 out of bounds"},
                 {UINTPTR_MAX, UINTPTR_MAX == UINT32_MAX ? "index 4294967295 out of bounds"
                                                         : "index 18446744073709551615 out of bounds"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uintptr_t index = cases[i].index;
        const char *message = cases[i].message;
        FAILS_NULL(nono_capability_set_fs_original(caps, index), OTHER, .message = message);
        FAILS_NULL(nono_capability_set_fs_resolved(caps, index), OTHER, .message = message);
        FAILS_NULL(nono_capability_set_fs_source_group_name(caps, index), OTHER, .message = message);
        FAILS(nono_capability_set_fs_access(caps, index), NONO_ACCESS_MODE_INVALID, OTHER, .message = message);
        FAILS(nono_capability_set_fs_is_file(caps, index), false, OTHER, .message = message);
        FAILS(nono_capability_set_fs_source_tag(caps, index), NONO_CAPABILITY_SOURCE_TAG_USER, OTHER,
              .message = message);
    }
    /* Not from a group: NULL, and no error. */
    NO_ERROR(CHECK(nono_capability_set_fs_source_group_name(caps, 0) == NULL));
    nono_capability_set_free(caps);
}

static void queries(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    struct NonoQueryContext *ctx = nono_query_context_new(caps);
    NonoQueryResult result = {.status = NONO_QUERY_STATUS_DENIED, .granted = "untouched"};
    NonoQueryResult before = result;
    FAILS_NULL(nono_query_context_new(NULL), OTHER, .message = CAPS_IS_NULL);
    FAILS_ARGUMENT(nono_query_context_query_path(NULL, NULL, BAD_MODE, NULL), CTX_IS_NULL);
    FAILS_ARGUMENT(nono_query_context_query_path(ctx, NULL, BAD_MODE, NULL), "invalid access mode: 7");
    FAILS_ARGUMENT(nono_query_context_query_path(ctx, NULL, READ, NULL), BAD_PATH);
    FAILS_ARGUMENT(nono_query_context_query_path(ctx, "/", READ, NULL), OUT_IS_NULL);
    FAILS_ARGUMENT(nono_query_context_query_path(ctx, "\xff", READ, &result), BAD_PATH);
    FAILS_ARGUMENT(nono_query_context_query_path_bytes(NULL, NULL, 1, BAD_MODE, NULL), CTX_IS_NULL);
    FAILS_ARGUMENT(nono_query_context_query_path_bytes(ctx, NULL, 1, BAD_MODE, NULL), "invalid access mode: 7");
    FAILS_ARGUMENT(nono_query_context_query_path_bytes(ctx, NULL, 1, READ, NULL), BAD_PATH);
    FAILS_ARGUMENT(nono_query_context_query_path_bytes(ctx, "/", 1, READ, NULL), OUT_IS_NULL);
    struct NonoPathAnswer answer = {.struct_size = sizeof answer - 1};
    FAILS_ARGUMENT(nono_query_context_answer_path(NULL, NULL, 1, BAD_MODE, NULL), CTX_IS_NULL);
    FAILS_ARGUMENT(nono_query_context_answer_path(ctx, NULL, 1, BAD_MODE, NULL), "invalid access mode: 7");
    FAILS_ARGUMENT(nono_query_context_answer_path(ctx, NULL, 1, READ, NULL), BAD_PATH);
    FAILS_ARGUMENT(nono_query_context_answer_path(ctx, "/", 1, READ, NULL), "out_answer pointer is NULL");
    FAILS_ARGUMENT(nono_query_context_answer_path(ctx, "/", 1, READ, &answer), "struct_size of the answer is 47");
    FAILS_ARGUMENT(nono_query_context_query_network(NULL, NULL), CTX_IS_NULL);
    FAILS_ARGUMENT(nono_query_context_query_network(NULL, &result), CTX_IS_NULL);
    FAILS_ARGUMENT(nono_query_context_query_network(ctx, NULL), OUT_IS_NULL);
    CHECK(memcmp(&result, &before, sizeof result) == 0);
    nono_query_context_free(ctx);
    nono_capability_set_free(caps);
}

static void sandbox(void) {
    FAILS_ARGUMENT(nono_sandbox_apply(NULL), CAPS_IS_NULL);

    /* Arguments are checked before anything is done. */
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    NonoApplyOptions options = {.struct_size = sizeof options};
    uint64_t unenforced = 4711;
    FAILS_ARGUMENT(nono_sandbox_apply_with_options(NULL, NULL), CAPS_IS_NULL);
    FAILS_ARGUMENT(nono_sandbox_apply_with_options(NULL, &options), CAPS_IS_NULL);
    FAILS_ARGUMENT(nono_sandbox_unenforced(NULL, NULL, NULL), CAPS_IS_NULL);
    FAILS_ARGUMENT(nono_sandbox_unenforced(caps, NULL, NULL), "out_unenforced pointer is NULL");
    static const size_t sizes[] = {0, 8, 15, 17, 24, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char message[80];
        options.struct_size = sizes[i];
        snprintf(message, sizeof message, "struct_size of the options is %zu", sizes[i]);
        FAILS_ARGUMENT(nono_sandbox_apply_with_options(caps, &options), message);
        FAILS_ARGUMENT(nono_sandbox_unenforced(caps, &options, &unenforced), message);
    }
    options.struct_size = sizeof options;
    for (int bit = 14; bit < 64; bit++) {
        char message[80];
        options.allow = UINT64_C(1) << bit | NONO_ALLOW_BPF;
        snprintf(message, sizeof message, "unknown options: 0x%llx", 1ULL << bit);
        FAILS_ARGUMENT(nono_sandbox_apply_with_options(caps, &options), message);
        FAILS_ARGUMENT(nono_sandbox_unenforced(caps, &options, &unenforced), message);
    }
    CHECK_INT(unenforced, 4711);
    nono_capability_set_free(caps);

    NonoSandboxStatus status = {.struct_size = sizeof status - 1, .layers = 4711};
    FAILS_ARGUMENT(nono_sandbox_status(NULL), "out_status pointer is NULL");
    FAILS_ARGUMENT(nono_sandbox_status(&status), "struct_size of the status is 47");
    status.struct_size = 0;
    FAILS_ARGUMENT(nono_sandbox_status(&status), "struct_size of the status is 0");
    CHECK_INT(status.layers, 4711);
    status.struct_size = sizeof status;
    NO_ERROR(CHECK_OK(nono_sandbox_status(&status)));
    CHECK(status.layers == 0 && !status.no_new_privs && status.seccomp_mode == 0 && !status.is_incomplete);
}

static void states(void) {
    FAILS_NULL(nono_sandbox_state_from_caps(NULL), OTHER, .message = CAPS_IS_NULL);
    FAILS(nono_sandbox_state_net_blocked(NULL), false, OTHER, .message = "state pointer is NULL");
    FAILS(nono_sandbox_state_fs_count(NULL), 0, OTHER, .message = "state pointer is NULL");
    FAILS_NULL(nono_sandbox_state_to_json(NULL), OTHER, .message = "state pointer is NULL");
    FAILS_NULL(nono_sandbox_state_to_caps(NULL), OTHER, .message = "state pointer is NULL");
    FAILS_NULL(nono_sandbox_state_from_json(NULL), OTHER, .message = "json is NULL or invalid UTF-8");
    FAILS_NULL(nono_sandbox_state_from_json("\"\xff\""), OTHER, .message = "json is NULL or invalid UTF-8");
    FAILS_NULL(nono_sandbox_state_from_json_bytes(NULL, 1), OTHER, .message = "json is NULL or invalid UTF-8");
    FAILS_NULL(nono_sandbox_state_from_json_bytes("{\xc3", 2), OTHER, .message = "json is NULL or invalid UTF-8");
    FAILS_NULL(nono_sandbox_state_from_json_bytes(NULL, 0), CONFIGURATION_ERROR,
               .message = "Invalid JSON: EOF while parsing a value at line 1 column 0");
}

static void diagnostics(void) {
    FAILS_NULL(nono_session_diagnostic_report_to_json(1, "\xff", NULL, NULL), OTHER,
               .message = "denials_json is NULL or invalid UTF-8");
    FAILS_NULL(nono_session_diagnostic_report_to_json(1, NULL, "\xff", NULL), OTHER,
               .message = "ipc_denials_json is NULL or invalid UTF-8");
    FAILS_NULL(nono_session_diagnostic_report_to_json(1, NULL, NULL, "\xff"), OTHER,
               .message = "violations_json is NULL or invalid UTF-8");
    FAILS_NULL(nono_merge_diagnostic_report_json(NULL, NULL), OTHER,
               .message = "session_json is NULL or invalid UTF-8");
    FAILS_NULL(nono_merge_diagnostic_report_json("\xff", NULL), OTHER,
               .message = "session_json is NULL or invalid UTF-8");
    FAILS_NULL(nono_merge_diagnostic_report_json("{}", "\xff"), OTHER,
               .message = "proxy_diagnostics_json is NULL or invalid UTF-8");
}

/* A later success does not clear the error; nono_clear_error() clears all of it. */
static void state(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS(nono_capability_set_allow_path(caps, "missing", READ), NONO_ERROR_CODE_ERR_PATH_NOT_FOUND,
          CONFIGURATION_ERROR, .message = "Path does not exist: missing", .os_error = 2, .path = "missing");
    CHECK_OK(nono_capability_set_allow_path(caps, ".", READ));
    CHECK_OWNED(nono_last_error(), "Path does not exist: missing");
    CHECK_INT(nono_last_os_error(), 2);
    /* The next error leaves nothing of the last. */
    CHECK_INT(nono_capability_set_set_network_mode(caps, 9), NONO_ERROR_CODE_ERR_INVALID_ARG);
    CHECK_OWNED(nono_last_error_path(NULL), NULL);
    CHECK_INT(nono_last_os_error(), 0);
    CHECK_INT(nono_last_diagnostic_code(), NONO_DIAGNOSTIC_CODE_OTHER);
    NO_ERROR((void)0);
    nono_clear_error();
    NO_ERROR((void)0);
    nono_capability_set_free(caps);
}

/* The terminated form of a message ends at a quoted NUL byte; the form with a length has all of it. */
static void nul_in_message(void) {
    static const char expected[] = "Failed to canonicalize path a\0b: file name contained an unexpected NUL byte";
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS(nono_capability_set_allow_path_bytes(caps, "a\0b", 3, READ), NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION,
          CONFIGURATION_ERROR, .message = "Failed to canonicalize path a", .path = "a");
    size_t length = 0;
    char *message = nono_last_error_bytes(&length);
    CHECK_INT(length, sizeof expected - 1);
    CHECK(message != NULL && memcmp(message, expected, sizeof expected) == 0);
    nono_string_free(message);
    char *path = nono_last_error_path(&length);
    CHECK_INT(length, 3);
    CHECK(path != NULL && memcmp(path, "a\0b", 4) == 0);
    nono_string_free(path);
    nono_capability_set_free(caps);
}

static const struct test tests[] = {
    {"allow_path", allow_path}, {"allow_file", allow_file}, {"network", network},         {"commands", commands},
    {"rules", platform_rules},  {"views", views},           {"indexes", indexes},         {"queries", queries},
    {"sandbox", sandbox},       {"states", states},         {"diagnostics", diagnostics}, {"state", state},
    {"nul", nul_in_message},
};

CHECK_MAIN("errors", tests)
