/* SPDX-License-Identifier: Apache-2.0
 *
 * Diagnostic reports. */
#include <limits.h>

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

static const struct test tests[] = {{"reports", reports}, {"bad_lists", bad_lists}, {"merges", merges}};

CHECK_MAIN("diagnostics", tests)
