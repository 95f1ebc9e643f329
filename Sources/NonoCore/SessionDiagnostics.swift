// SPDX-License-Identifier: Apache-2.0

/// JSON reports about a command that ran in a sandbox, without spaces. An empty text stands for none.
public enum SessionDiagnostics {
    /// What can be tried when a command failed.
    private static let hints =
        #"{"code":"command_failed_likely_sandbox","severity":"info","#
        + #""message":"discover additional paths required by the command","remediation":{"kind":"run_discovery"}},"#
        + #"{"code":"command_failed_application","severity":"info","#
        + #""message":"inspect sandbox policy for a specific path","remediation":{"kind":"check_policy"}}"#

    /// The report about a command: what was denied to it, and, if it failed, how to find out more.
    ///
    /// The lists are copied into the report as they are understood: keys that are repeated appear once, with their last
    /// value.
    public static func report(
        exitCode: Int32, denials: [UInt8], ipcDenials: [UInt8], violations: [UInt8]
    ) throws(NonoError) -> [UInt8] {
        var json = Array("{\"exit_code\":\(exitCode),\"denials\":".utf8)
        try appendList(denials, what: "denials JSON", to: &json)
        json += ",\"ipc_denials\":".utf8
        try appendList(ipcDenials, what: "IPC denials JSON", to: &json)
        json += ",\"violations\":".utf8
        try appendList(violations, what: "violations JSON", to: &json)
        json += ",\"diagnostics\":[".utf8
        if exitCode != 0 {
            json += hints.utf8
        }
        json += "]}".utf8
        return json
    }

    /// The report about a command together with what the proxy it used has to say.
    public static func merge(session: [UInt8], proxy: [UInt8]) throws(NonoError) -> [UInt8] {
        var json = Array("{\"session\":".utf8)
        try appendValue(session, what: "session diagnostic JSON", to: &json)
        if !proxy.isEmpty {
            json += ",\"proxy\":".utf8
            try appendValue(proxy, what: "proxy diagnostics JSON", to: &json)
        }
        json += "}".utf8
        return json
    }

    private static func appendValue(_ text: [UInt8], what: String, to json: inout [UInt8]) throws(NonoError) {
        var reader = JSONReader(text, context: "Configuration parse error: parse \(what): ")
        try reader.copyValue(to: &json)
        try reader.end()
    }

    private static func appendList(_ text: [UInt8], what: String, to json: inout [UInt8]) throws(NonoError) {
        if text.isEmpty {
            json += "[]".utf8
            return
        }
        var reader = JSONReader(text, context: "Configuration parse error: parse \(what): ")
        if try reader.startOfValue() != UInt8(ascii: "[") {
            try reader.failType(expected: "a sequence")
        }
        try reader.copyValue(to: &json)
        try reader.end()
    }
}
