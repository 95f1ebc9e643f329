/* SPDX-License-Identifier: Apache-2.0
 *
 * Diagnostic reports. */
#include <limits.h>
#include <string.h>

#include "support.h"

#define DISCOVER                                                                                                       \
    "{\"code\":\"command_failed_likely_sandbox\",\"severity\":\"info\",\"message\":\"discover additional paths "       \
    "required by the command\",\"remediation\":{\"kind\":\"run_discovery\"}}"
#define INSPECT                                                                                                        \
    "{\"code\":\"command_failed_application\",\"severity\":\"info\",\"message\":\"inspect sandbox policy for a "       \
    "specific path\",\"remediation\":{\"kind\":\"check_policy\"}}"

static void reports(void) {
    static const char nothing[] =
        "{\"exit_code\":0,\"denials\":[],\"ipc_denials\":[],\"violations\":[],\"diagnostics\":[]}";
    CHECK_OWNED(nono_session_diagnostic_report_to_json(0, NULL, NULL, NULL), nothing);
    CHECK_OWNED(nono_session_diagnostic_report_to_json(0, "", "", ""), nothing);
    CHECK_OWNED(nono_session_diagnostic_report_to_json(0, " [ ] ", "[]", "\n[]"), nothing);
    CHECK_OWNED(nono_session_diagnostic_report_to_json(INT32_MIN, "[1, {\"a\": null}]", "[\"\\u00e9\"]", "[[true]]"),
                "{\"exit_code\":-2147483648,\"denials\":[1,{\"a\":null}],\"ipc_denials\":[\"\xc3\xa9\"],"
                "\"violations\":[[true]],\"diagnostics\":[" DISCOVER "," INSPECT "]}");
}

static void bad_lists(void) {
    FAILS_NULL(nono_session_diagnostic_report_to_json(0, "{}", NULL, NULL), CONFIGURATION_ERROR,
               .message = "Configuration parse error: parse denials JSON: invalid type: map, expected a sequence at "
                          "line 1 column 0");
    FAILS_NULL(nono_session_diagnostic_report_to_json(0, NULL, "[1", NULL), CONFIGURATION_ERROR,
               .message = "Configuration parse error: parse IPC denials JSON: EOF while parsing a list at line 1 "
                          "column 2");
    FAILS_NULL(nono_session_diagnostic_report_to_json(0, NULL, NULL, "[1]x"), CONFIGURATION_ERROR,
               .message = "Configuration parse error: parse violations JSON: trailing characters at line 1 column 4");
    FAILS_NULL(nono_session_diagnostic_report_to_json(0, " ", NULL, NULL), CONFIGURATION_ERROR,
               .message = "Configuration parse error: parse denials JSON: EOF while parsing a value at line 1 "
                          "column 1");
}

static void merges(void) {
    CHECK_OWNED(nono_merge_diagnostic_report_json("{\"exit_code\": 1}", NULL), "{\"session\":{\"exit_code\":1}}");
    CHECK_OWNED(nono_merge_diagnostic_report_json("[]", ""), "{\"session\":[]}");
    CHECK_OWNED(nono_merge_diagnostic_report_json(" 1 ", " [ 2 ] "), "{\"session\":1,\"proxy\":[2]}");
    char *report = nono_session_diagnostic_report_to_json(0, NULL, NULL, NULL);
    CHECK_OWNED(nono_merge_diagnostic_report_json(report, "{}"), text("{\"session\":%s,\"proxy\":{}}", report));
    nono_string_free(report);
    FAILS_NULL(nono_merge_diagnostic_report_json("", NULL), CONFIGURATION_ERROR,
               .message = "Configuration parse error: parse session diagnostic JSON: EOF while parsing a value at "
                          "line 1 column 0");
    FAILS_NULL(nono_merge_diagnostic_report_json("{}", "{"), CONFIGURATION_ERROR,
               .message = "Configuration parse error: parse proxy diagnostics JSON: EOF while parsing an object at "
                          "line 1 column 1");
}

#define EMPTY "{\"exit_code\":0,\"denials\":[],\"ipc_denials\":[],\"violations\":[],\"diagnostics\":["
#define DENIED(path, access_text, access, remedy)                                                                      \
    "{\"code\":\"command_failed_likely_sandbox\",\"severity\":\"warning\",\"message\":\"command output suggests " path \
    " (" access_text ") may be sandbox-related\",\"remediation\":" remedy ",\"path\":\"" path                          \
    "\",\"access\":\"" access                                                                                          \
    "\",\"detail\":{\"kind\":\"stderr_observation\",\"observation_kind\":\"likely_sandbox_path\"}}"
#define GRANT(path, access, is_file)                                                                                   \
    "{\"kind\":\"grant_path\",\"path\":\"" path "\",\"access\":\"" access "\",\"is_file\":" is_file "}"

static char *report(int32_t exit_code, const char *output, const struct NonoCapabilitySet *caps,
                    const char *directory) {
    return nono_session_diagnostics_to_json(exit_code, output, strlen(output), caps, directory,
                                            directory == NULL ? 0 : strlen(directory));
}

/* What a failed command wrote is compared with what it was allowed, and with what there is. */
static void sessions(void) {
    struct NonoCapabilitySet *caps = caps_with_path("/usr", NONO_ACCESS_MODE_READ);
    CHECK_OWNED(report(0, "", caps, NULL), EMPTY "]}");
    CHECK_OWNED(nono_session_diagnostics_to_json(0, NULL, 0, caps, NULL, 0), EMPTY "]}");
    CHECK_OWNED(report(0, "cat: /usr/bin/no: Permission denied\n", caps, NULL), EMPTY "]}");
    CHECK_OWNED(report(0, "cat: /etc/no: Permission denied\n", caps, NULL),
                EMPTY DENIED("/etc/no", "read", "Read", GRANT("/etc/no", "Read", "true")) "]}");
    CHECK_OWNED(report(0, "cat: /etc: Permission denied\n", caps, "/usr"),
                EMPTY DENIED("/etc", "read", "Read", GRANT("/etc", "Read", "false")) "]}");
    CHECK_OWNED(report(0, "sh: 1: cannot create /usr/no: Permission denied\n", caps, NULL),
                EMPTY DENIED("/usr/no", "write", "Write", GRANT("/usr", "Write", "false")) "]}");
    CHECK_OWNED(report(0, "sh: 1: cannot create no: Permission denied\n", caps, "/etc"),
                EMPTY DENIED("/etc/no", "write", "Write", "{\"kind\":\"allow_cwd\"}") "]}");
    char *failed = report(1, "cat: /no: No such file or directory\n", caps, NULL);
    CHECK(strstr(failed, "command reported missing path /no") != NULL);
    CHECK(strstr(failed, DISCOVER "," INSPECT "]}") != NULL);
    nono_string_free(failed);
    nono_capability_set_free(caps);
}

static void session_arguments(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS_NULL(report(0, "", NULL, NULL), OTHER, .message = "caps pointer is NULL");
    FAILS_NULL(nono_session_diagnostics_to_json(0, NULL, 1, caps, NULL, 0), OTHER,
               .message = "stderr_bytes is NULL or invalid UTF-8");
    FAILS_NULL(nono_session_diagnostics_to_json(0, "", 0, caps, NULL, 1), OTHER,
               .message = "working_directory is NULL or invalid UTF-8");
    nono_capability_set_free(caps);
}

static const struct test tests[] = {{"reports", reports},
                                    {"bad_lists", bad_lists},
                                    {"merges", merges},
                                    {"sessions", sessions},
                                    {"session_arguments", session_arguments}};

CHECK_MAIN("diagnostics", tests)
