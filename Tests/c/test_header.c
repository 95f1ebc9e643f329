/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiled programs have built in: values and layouts. They may never change. */
#include <stdalign.h>
#include <stdio.h>

#include "check.h"

static void access_modes(void) {
    CHECK_INT(NONO_ACCESS_MODE_READ, 0);
    CHECK_INT(NONO_ACCESS_MODE_WRITE, 1);
    CHECK_INT(NONO_ACCESS_MODE_READ_WRITE, 2);
    CHECK_INT(NONO_ACCESS_MODE_INVALID, 4294967295LL);
    CHECK_INT(sizeof NONO_ACCESS_MODE_INVALID, sizeof(uint32_t));
}

static void network_modes(void) {
    CHECK_INT(NONO_NETWORK_MODE_BLOCKED, 0);
    CHECK_INT(NONO_NETWORK_MODE_ALLOW_ALL, 1);
    CHECK_INT(NONO_NETWORK_MODE_PROXY_ONLY, 2);
}

static void error_codes(void) {
    CHECK_INT(NONO_ERROR_CODE_OK, 0);
    CHECK_INT(NONO_ERROR_CODE_ERR_PATH_NOT_FOUND, -1);
    CHECK_INT(NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY, -2);
    CHECK_INT(NONO_ERROR_CODE_ERR_EXPECTED_FILE, -3);
    CHECK_INT(NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION, -4);
    CHECK_INT(NONO_ERROR_CODE_ERR_NO_CAPABILITIES, -5);
    CHECK_INT(NONO_ERROR_CODE_ERR_SANDBOX_INIT, -6);
    CHECK_INT(NONO_ERROR_CODE_ERR_UNSUPPORTED_PLATFORM, -7);
    CHECK_INT(NONO_ERROR_CODE_ERR_BLOCKED_COMMAND, -8);
    CHECK_INT(NONO_ERROR_CODE_ERR_CONFIG_PARSE, -9);
    CHECK_INT(NONO_ERROR_CODE_ERR_PROFILE_PARSE, -10);
    CHECK_INT(NONO_ERROR_CODE_ERR_IO, -11);
    CHECK_INT(NONO_ERROR_CODE_ERR_INVALID_ARG, -12);
    CHECK_INT(NONO_ERROR_CODE_ERR_TRUST_VERIFICATION, -13);
    CHECK_INT(NONO_ERROR_CODE_ERR_UNKNOWN, -99);
}

static void diagnostic_codes(void) {
    CHECK_INT(NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_PATH, 0);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_NETWORK, 1);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_SANDBOX_DENIED_UNIX_SOCKET, 2);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_COMMAND_NOT_FOUND, 3);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_COMMAND_FAILED_LIKELY_SANDBOX, 4);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_COMMAND_FAILED_APPLICATION, 5);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_CREDENTIAL_NOT_FOUND, 6);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_CREDENTIAL_UNAVAILABLE, 7);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_UNSUPPORTED_PLATFORM_FEATURE, 8);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_ROLLBACK_BUDGET_EXCEEDED, 9);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_CWD_ACCESS_REQUIRED, 10);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_CONFIGURATION_ERROR, 11);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_TRUST_VERIFICATION_FAILED, 12);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_IO_ERROR, 13);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_CANCELLED, 14);
    CHECK_INT(NONO_DIAGNOSTIC_CODE_OTHER, 99);
}

static void source_tags(void) {
    CHECK_INT(NONO_CAPABILITY_SOURCE_TAG_USER, 0);
    CHECK_INT(NONO_CAPABILITY_SOURCE_TAG_GROUP, 1);
    CHECK_INT(NONO_CAPABILITY_SOURCE_TAG_SYSTEM, 2);
    CHECK_INT(NONO_CAPABILITY_SOURCE_TAG_PROFILE, 3);
}

static void options(void) {
    CHECK_INT(NONO_ALLOW_KEYRINGS, 1 << 0);
    CHECK_INT(NONO_ALLOW_SYSV_IPC, 1 << 1);
    CHECK_INT(NONO_ALLOW_TERMINAL_INPUT, 1 << 2);
    CHECK_INT(NONO_ALLOW_BPF, 1 << 3);
    CHECK_INT(NONO_ALLOW_PERF_EVENTS, 1 << 4);
    CHECK_INT(NONO_ALLOW_USERFAULTFD, 1 << 5);
    CHECK_INT(NONO_ALLOW_KERNEL_ADMINISTRATION, 1 << 6);
    CHECK_INT(NONO_ALLOW_MOUNTS, 1 << 7);
    CHECK_INT(NONO_ALLOW_FILE_HANDLES, 1 << 8);
    CHECK_INT(NONO_ALLOW_CLOCK_AND_HOSTNAME, 1 << 9);
    CHECK_INT(NONO_ALLOW_OTHER_PROCESSES, 1 << 10);
    CHECK_INT(NONO_ALLOW_CAPABILITIES, 1 << 11);
    CHECK_INT(NONO_ALLOW_SIGNALS, 1 << 12);
    CHECK_INT(NONO_ALLOW_ABSTRACT_UNIX_SOCKETS, 1 << 13);
    CHECK_INT(sizeof NONO_ALLOW_KEYRINGS, sizeof(uint64_t));
    CHECK_INT(NONO_UNENFORCED_METADATA, 1 << 0);
    CHECK_INT(NONO_UNENFORCED_TRUNCATION, 1 << 1);
    CHECK_INT(NONO_UNENFORCED_DEVICE_CONTROL, 1 << 2);
    CHECK_INT(NONO_UNENFORCED_SIGNALS, 1 << 3);
    CHECK_INT(NONO_UNENFORCED_ABSTRACT_UNIX_SOCKETS, 1 << 4);
    CHECK_INT(NONO_UNENFORCED_PATHNAME_UNIX_SOCKETS, 1 << 5);
}

static void query_answers(void) {
    CHECK_INT(NONO_QUERY_STATUS_ALLOWED, 0);
    CHECK_INT(NONO_QUERY_STATUS_DENIED, 1);
    CHECK_INT(NONO_QUERY_REASON_GRANTED_PATH, 0);
    CHECK_INT(NONO_QUERY_REASON_NETWORK_ALLOWED, 1);
    CHECK_INT(NONO_QUERY_REASON_PATH_NOT_GRANTED, 2);
    CHECK_INT(NONO_QUERY_REASON_INSUFFICIENT_ACCESS, 3);
    CHECK_INT(NONO_QUERY_REASON_NETWORK_BLOCKED, 4);
}

/* An enumeration crosses the interface as an int, by value and inside a struct. */
static void enum_sizes(void) {
    CHECK_INT(sizeof(enum NonoErrorCode), sizeof(int));
    CHECK_INT(sizeof(enum NonoDiagnosticCode), sizeof(int));
    CHECK_INT(sizeof(enum NonoCapabilitySourceTag), sizeof(int));
    CHECK_INT(sizeof(enum NonoQueryStatus), sizeof(int));
    CHECK_INT(sizeof(enum NonoQueryReason), sizeof(int));
}

static void query_result_layout(void) {
    size_t pointer = sizeof(char *);
    CHECK_INT(offsetof(NonoQueryResult, status), 0);
    CHECK_INT(offsetof(NonoQueryResult, reason), 4);
    CHECK_INT(offsetof(NonoQueryResult, granted_path), 8);
    CHECK_INT(offsetof(NonoQueryResult, access), 8 + pointer);
    CHECK_INT(offsetof(NonoQueryResult, granted), 8 + 2 * pointer);
    CHECK_INT(offsetof(NonoQueryResult, requested), 8 + 3 * pointer);
    CHECK_INT(sizeof(NonoQueryResult), 8 + 4 * pointer);
    CHECK_INT(alignof(NonoQueryResult), pointer);
}

static void support_info_layout(void) {
    size_t pointer = sizeof(char *);
    CHECK_INT(offsetof(NonoSupportInfo, is_supported), 0);
    CHECK_INT(offsetof(NonoSupportInfo, platform), pointer);
    CHECK_INT(offsetof(NonoSupportInfo, details), 2 * pointer);
    CHECK_INT(sizeof(NonoSupportInfo), 3 * pointer);
}

static void apply_options_layout(void) {
    CHECK_INT(offsetof(NonoApplyOptions, struct_size), 0);
    CHECK_INT(offsetof(NonoApplyOptions, allow), 8);
    CHECK_INT(sizeof(NonoApplyOptions), 16);
}

static void status_layout(void) {
    CHECK_INT(offsetof(NonoSandboxStatus, struct_size), 0);
    CHECK_INT(offsetof(NonoSandboxStatus, allowed), 8);
    CHECK_INT(offsetof(NonoSandboxStatus, unenforced), 16);
    CHECK_INT(offsetof(NonoSandboxStatus, layers), 24);
    CHECK_INT(offsetof(NonoSandboxStatus, network_mode), 28);
    CHECK_INT(offsetof(NonoSandboxStatus, landlock_abi), 32);
    CHECK_INT(offsetof(NonoSandboxStatus, seccomp_mode), 36);
    CHECK_INT(offsetof(NonoSandboxStatus, unix_sockets_blocked), 40);
    CHECK_INT(offsetof(NonoSandboxStatus, is_incomplete), 41);
    CHECK_INT(offsetof(NonoSandboxStatus, no_new_privs), 42);
    CHECK_INT(sizeof(NonoSandboxStatus), 48);
}

/* Struct tags and typedef names are the same types. */
static void names(void) {
    enum NonoErrorCode code = NONO_ERROR_CODE_OK;
    NonoErrorCode *same_code = &code;
    enum NonoDiagnosticCode diagnostic = NONO_DIAGNOSTIC_CODE_OTHER;
    NonoDiagnosticCode *same_diagnostic = &diagnostic;
    enum NonoCapabilitySourceTag tag = NONO_CAPABILITY_SOURCE_TAG_USER;
    NonoCapabilitySourceTag *same_tag = &tag;
    struct NonoQueryResult result = {.status = NONO_QUERY_STATUS_DENIED};
    NonoQueryResult *same_result = &result;
    struct NonoSupportInfo info = {.is_supported = false};
    NonoSupportInfo *same_info = &info;
    struct NonoApplyOptions options_of_apply = {.struct_size = sizeof options_of_apply};
    NonoApplyOptions *same_options = &options_of_apply;
    struct NonoSandboxStatus status = {.struct_size = sizeof status};
    NonoSandboxStatus *same_status = &status;
    CHECK(same_options->struct_size == 16 && same_status->struct_size == 48);
    CHECK(*same_code == code && *same_diagnostic == diagnostic && *same_tag == tag);
    CHECK(same_result->status == result.status && same_info->is_supported == info.is_supported);
}

static void versions(void) {
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", NONO_VERSION_MAJOR, NONO_VERSION_MINOR, NONO_VERSION_PATCH);
    CHECK_TEXT(NONO_VERSION, text);
    CHECK_OWNED(nono_version(), NONO_VERSION);
}

/* Every *_free function accepts NULL, as does nono_string_free(). */
static void free_null(void) {
    NO_ERROR(nono_string_free(NULL));
    NO_ERROR(nono_capability_set_free(NULL));
    NO_ERROR(nono_query_context_free(NULL));
    NO_ERROR(nono_sandbox_state_free(NULL));
}

static const struct test tests[] = {
    {"access_modes", access_modes},
    {"network_modes", network_modes},
    {"error_codes", error_codes},
    {"diagnostic_codes", diagnostic_codes},
    {"source_tags", source_tags},
    {"options", options},
    {"query_answers", query_answers},
    {"enum_sizes", enum_sizes},
    {"query_result_layout", query_result_layout},
    {"support_info_layout", support_info_layout},
    {"apply_options_layout", apply_options_layout},
    {"status_layout", status_layout},
    {"names", names},
    {"versions", versions},
    {"free_null", free_null},
};

CHECK_MAIN("header", tests)
