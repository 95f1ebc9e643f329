// SPDX-License-Identifier: Apache-2.0

import NonoCore
import Testing

private func report(
    _ exitCode: Int32, denials: String = "", ipcDenials: String = "", violations: String = ""
) throws(NonoError) -> String {
    let json = try SessionDiagnostics.report(
        exitCode: exitCode, denials: Array(denials.utf8), ipcDenials: Array(ipcDenials.utf8),
        violations: Array(violations.utf8))
    return String(decoding: json, as: UTF8.self)
}

private func merge(_ session: String, _ proxy: String = "") throws(NonoError) -> String {
    let json = try SessionDiagnostics.merge(session: Array(session.utf8), proxy: Array(proxy.utf8))
    return String(decoding: json, as: UTF8.self)
}

private func failure(_ body: () throws(NonoError) -> String) -> String? {
    do throws(NonoError) {
        _ = try body()
        return nil
    } catch {
        #expect(error.code == .configParse)
        #expect(error.diagnostic == .configurationError)
        return error.message
    }
}

@Suite struct SessionReportTests {
    @Test func success() throws {
        #expect(try report(0) == #"{"exit_code":0,"denials":[],"ipc_denials":[],"violations":[],"diagnostics":[]}"#)
    }

    @Test(arguments: [1, -1, 127] as [Int32])
    func commandFailed(exitCode: Int32) throws {
        #expect(
            try report(exitCode)
                == "{\"exit_code\":\(exitCode),"
                + #""denials":[],"ipc_denials":[],"violations":[],"diagnostics":["#
                + #"{"code":"command_failed_likely_sandbox","severity":"info","#
                + #""message":"discover additional paths required by the command","#
                + #""remediation":{"kind":"run_discovery"}},"#
                + #"{"code":"command_failed_application","severity":"info","#
                + #""message":"inspect sandbox policy for a specific path","#
                + #""remediation":{"kind":"check_policy"}}]}"#)
    }

    @Test func listsAreCopied() throws {
        let json = try report(
            0, denials: #" [ {"path" : "/a", "access": "Read"} ] "#, ipcDenials: "[[ ]]", violations: "[1,\n2]")
        #expect(
            json == #"{"exit_code":0,"denials":[{"path":"/a","access":"Read"}],"ipc_denials":[[]],"#
                + #""violations":[1,2],"diagnostics":[]}"#)
    }

    @Test func badLists() {
        #expect(
            failure { () throws(NonoError) in try report(0, denials: "{}") }
                == "Configuration parse error: parse denials JSON: "
                + "invalid type: map, expected a sequence at line 1 column 0")
        #expect(
            failure { () throws(NonoError) in try report(0, ipcDenials: "[1") }
                == "Configuration parse error: parse IPC denials JSON: EOF while parsing a list at line 1 column 2")
        #expect(
            failure { () throws(NonoError) in try report(0, violations: "[] x") }
                == "Configuration parse error: parse violations JSON: trailing characters at line 1 column 4")
    }
}

@Suite struct MergedReportTests {
    @Test func proxyIsOptional() throws {
        #expect(try merge("{}") == #"{"session":{}}"#)
        #expect(try merge("{}", "[]") == #"{"session":{},"proxy":[]}"#)
        #expect(try merge("null", "null") == #"{"session":null,"proxy":null}"#)
    }

    @Test(arguments: [
        (#" { "b" : [ 1 , true ] , "a" : { } } "#, #"{"b":[1,true],"a":{}}"#),
        (#"{"b":1,"a":2,"b":3}"#, #"{"b":3,"a":2}"#),
        (#"{"b":{"x":1,"x":[]},"\u0062":{"y":{"z":1,"z":2,"w":0},"y":7,"v":8}}"#, #"{"b":{"y":7,"v":8}}"#),
        (#"[{"a":1,"a":2},{"a":1,"c":3,"a":{"a":4}}]"#, #"[{"a":2},{"a":{"a":4},"c":3}]"#),
        (#"{"a":0,"a":1,"":2}"#, #"{"a":1,"":2}"#),
        (#""\u00e9\/\ud83d\ude00\u001f\"""#, "\"\u{e9}/\u{1F600}\\u001f\\\"\""),
        ("[1.50, 1E2, -0, 18446744073709551616, 0.00001]", "[1.5,100.0,-0.0,1.8446744073709552e+19,0.00001]"),
    ])
    func valuesAreWrittenAnew(session: String, expected: String) throws {
        #expect(try merge(session) == "{\"session\":\(expected)}")
    }

    @Test(arguments: [
        ("", "EOF while parsing a value at line 1 column 0"), ("x", "expected value at line 1 column 1"),
        ("[1,]", "trailing comma at line 1 column 4"), (#"{"a":1,}"#, "trailing comma at line 1 column 8"),
        ("{1:2}", "key must be a string at line 1 column 2"), (#"{"a" 1}"#, "expected `:` at line 1 column 6"),
        ("[1]x", "trailing characters at line 1 column 4"), ("1E400", "number out of range at line 1 column 5"),
        (#""\ud800""#, "unexpected end of hex escape at line 1 column 8"), ("01", "invalid number at line 1 column 2"),
        (#"{"a":1"#, "EOF while parsing an object at line 1 column 6"),
        ("-", "EOF while parsing a value at line 1 column 1"),
    ])
    func badSession(session: String, expected: String) {
        #expect(
            failure { () throws(NonoError) in try merge(session, "x") }
                == "Configuration parse error: parse session diagnostic JSON: " + expected)
    }

    @Test(arguments: [
        ("x", "expected value at line 1 column 1"), (" ", "EOF while parsing a value at line 1 column 1"),
    ])
    func badProxy(proxy: String, expected: String) {
        #expect(
            failure { () throws(NonoError) in try merge("{}", proxy) }
                == "Configuration parse error: parse proxy diagnostics JSON: " + expected)
    }

    @Test func nestingIsLimited() throws {
        let deepest = String(repeating: "[", count: 127) + String(repeating: "]", count: 127)
        #expect(try merge(deepest) == "{\"session\":\(deepest)}")
        #expect(
            failure { () throws(NonoError) in try merge("[\(deepest)]") }
                == "Configuration parse error: parse session diagnostic JSON: "
                + "recursion limit exceeded at line 1 column 128")
        #expect(
            failure { () throws(NonoError) in try merge(String(repeating: "{\"a\":\n", count: 1_000_000)) }
                == "Configuration parse error: parse session diagnostic JSON: "
                + "recursion limit exceeded at line 128 column 1")
    }
}
