// SPDX-License-Identifier: Apache-2.0

// Reports about a command that ran in a sandbox.

internal import CNono
internal import NonoCore
internal import NonoSystem

@_cdecl("nono_session_diagnostic_report_to_json") @implementation
public func nono_session_diagnostic_report_to_json(
    _ exitCode: Int32, _ denials: UnsafePointer<CChar>?, _ ipcDenials: UnsafePointer<CChar>?,
    _ violations: UnsafePointer<CChar>?
) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        copyOut(
            try SessionDiagnostics.report(
                exitCode: exitCode,
                denials: try optionalText(denials, name: "denials_json"),
                ipcDenials: try optionalText(ipcDenials, name: "ipc_denials_json"),
                violations: try optionalText(violations, name: "violations_json")))
    }
}

@_cdecl("nono_merge_diagnostic_report_json") @implementation
public func nono_merge_diagnostic_report_json(
    _ session: UnsafePointer<CChar>?, _ proxy: UnsafePointer<CChar>?
) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        copyOut(
            try SessionDiagnostics.merge(
                session: try textArgument(session, name: "session_json"),
                proxy: try optionalText(proxy, name: "proxy_diagnostics_json")))
    }
}

@_cdecl("nono_session_diagnostics_to_json") @implementation
public func nono_session_diagnostics_to_json(
    _ exitCode: Int32, _ stderr: UnsafePointer<CChar>?, _ stderrLength: Int, _ caps: OpaquePointer?,
    _ workingDirectory: UnsafePointer<CChar>?, _ workingDirectoryLength: Int
) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        let stderr = try bytesArgument(stderr, stderrLength, name: "stderr_bytes")
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        let directory = try bytesArgument(
            workingDirectory, workingDirectoryLength, name: "working_directory")
        return copyOut(
            SessionDiagnostics.report(
                exitCode: exitCode, stderr: stderr, caps: caps, workingDirectory: locate(Path(directory)),
                locate: { locate($0) }, isDirectory: { isDirectory($0) }))
    }
}

/// A text that may be NULL, which is none.
private func optionalText(_ text: UnsafePointer<CChar>?, name: StaticString) throws(NonoError) -> [UInt8] {
    text == nil ? [] : try textArgument(text, name: name)
}
