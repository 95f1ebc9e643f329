// SPDX-License-Identifier: Apache-2.0

/// JSON reports about a command that ran in a sandbox, without spaces. An empty text stands for none.
public enum SessionDiagnostics {
    /// What can be tried when a command failed.
    private static let hints: StaticString =
        """
        {"code":"command_failed_likely_sandbox","severity":"info","message":"discover additional paths required by the \
        command","remediation":{"kind":"run_discovery"}},{"code":"command_failed_application","severity":"info",\
        "message":"inspect sandbox policy for a specific path","remediation":{"kind":"check_policy"}}
        """

    /// The report about a command: what was denied to it, and, if it failed, how to find out more.
    ///
    /// The lists are copied into the report as they are understood: keys that are repeated appear once, with their last
    /// value.
    public static func report(
        exitCode: Int32, denials: [UInt8], ipcDenials: [UInt8], violations: [UInt8]
    ) throws(NonoError) -> [UInt8] {
        var json = begin(exitCode)
        try appendList(denials, what: "denials JSON", to: &json)
        JSONText.append(",\"ipc_denials\":", to: &json)
        try appendList(ipcDenials, what: "IPC denials JSON", to: &json)
        JSONText.append(",\"violations\":", to: &json)
        try appendList(violations, what: "violations JSON", to: &json)
        JSONText.append(",\"diagnostics\":[", to: &json)
        if exitCode != 0 {
            JSONText.append(hints, to: &json)
        }
        JSONText.append("]}", to: &json)
        return json
    }

    /// The report about a command by its error output and by the set that it ran with: what its messages say was
    /// missing, and which grant would have helped. What was granted to it is left out.
    public static func report(
        exitCode: Int32, stderr: [UInt8], caps: CapabilitySet, workingDirectory: Path?,
        locate: (Path) -> Path?, isDirectory: (Path) -> Bool
    ) -> [UInt8] {
        var json = begin(exitCode)
        JSONText.append("[],\"ipc_denials\":[],\"violations\":[],\"diagnostics\":[", to: &json)
        let start = json.count
        let observations = StderrObservations(stderr, workingDirectory: workingDirectory)
        for access in observations.missing.accesses {
            appendMissing(access.path, to: &json)
        }
        if observations.mentionsNetwork && caps.network.isBlocked {
            JSONText.append(networkHint, to: &json)
        }
        var offered = workingDirectory
        if let directory = workingDirectory, directory == Path.root || caps.coverage(of: directory).access != nil {
            offered = nil
        }
        for access in observations.denied.accesses where !observations.missing.contains(access) {
            let canonical = access.path.isAbsolute ? locate(access.path) : nil
            guard let denial = Denial(access, canonical: canonical, caps: caps) else { continue }
            let remedy = denial.remedy(
                workingDirectory: offered, isDirectory: access.path.isAbsolute && isDirectory(access.path))
            append(denial, remedy, to: &json)
        }
        if exitCode != 0 {
            JSONText.append(hints, to: &json)
        } else if json.count > start {
            json.removeLast()
        }
        JSONText.append("]}", to: &json)
        return json
    }

    @inline(never)
    private static func begin(_ exitCode: Int32) -> [UInt8] {
        Array("{\"exit_code\":\(exitCode),\"denials\":".utf8)
    }

    private static let networkHint: StaticString =
        """
        {"code":"sandbox_denied_network","severity":"warning","message":"command output contains a network error; if a \
        required host is unreachable, check whether network access is blocked","detail":\
        {"kind":"stderr_observation","observation_kind":"network_blocked"}},
        """

    private static func appendMissing(_ path: Path, to json: inout [UInt8]) {
        JSONText.append(
            """
            {"code":"command_failed_application","severity":"warning","message":"command reported missing path \

            """, to: &json)
        let start = json.count
        JSONText.appendEscaped(path.textBytes, to: &json)
        let text = Array(json[start...])
        JSONText.append("\",\"path\":\"", to: &json)
        json += text
        JSONText.append(
            """
            ","access":"Read","detail":{"kind":"stderr_observation","observation_kind":"missing_path"}},
            """, to: &json)
    }

    private static func append(_ denial: Denial, _ remedy: Denial.Remedy, to json: inout [UInt8]) {
        JSONText.append(
            """
            {"code":"command_failed_likely_sandbox","severity":"warning","message":"command output suggests \

            """, to: &json)
        let start = json.count
        JSONText.appendEscaped(denial.path.textBytes, to: &json)
        let text = Array(json[start...])
        JSONText.append(" (", to: &json)
        JSONText.append(denial.missing.name, to: &json)
        JSONText.append(") may be sandbox-related\"", to: &json)
        switch remedy {
        case .none: break
        case .allowWorkingDirectory: JSONText.append(",\"remediation\":{\"kind\":\"allow_cwd\"}", to: &json)
        case .grant(let grant):
            JSONText.append(",\"remediation\":", to: &json)
            json += grant.json
        }
        JSONText.append(",\"path\":\"", to: &json)
        json += text
        JSONText.append("\",\"access\":\"", to: &json)
        JSONText.append(denial.missing.remedyName, to: &json)
        JSONText.append(
            """
            ","detail":{"kind":"stderr_observation","observation_kind":"likely_sandbox_path"}},
            """, to: &json)
    }
    /// The report about a command together with what the proxy it used has to say.
    public static func merge(session: [UInt8], proxy: [UInt8]) throws(NonoError) -> [UInt8] {
        var json: [UInt8] = []
        JSONText.append("{\"session\":", to: &json)
        try appendValue(session, what: "session diagnostic JSON", to: &json)
        if !proxy.isEmpty {
            JSONText.append(",\"proxy\":", to: &json)
            try appendValue(proxy, what: "proxy diagnostics JSON", to: &json)
        }
        json.append(UInt8(ascii: "}"))
        return json
    }

    private static func appendValue(_ text: [UInt8], what: String, to json: inout [UInt8]) throws(NonoError) {
        var reader = JSONReader(text, context: "Configuration parse error: parse \(what): ")
        try reader.copyValue(to: &json)
        try reader.end()
    }

    private static func appendList(_ text: [UInt8], what: String, to json: inout [UInt8]) throws(NonoError) {
        if text.isEmpty {
            JSONText.append("[]", to: &json)
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
