// SPDX-License-Identifier: Apache-2.0

// Saved states, and the reports about a command that ran.

internal import CNono
internal import NonoCore
internal import NonoSystem

@_cdecl("nono_sandbox_state_from_caps") @implementation
public func nono_sandbox_state_from_caps(_ caps: OpaquePointer?) -> OpaquePointer? {
    result(orOnError: nil) { () throws(NonoError) in
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        return export(SandboxStateHandle(SandboxState(caps)))
    }
}

@_cdecl("nono_sandbox_state_free") @implementation
public func nono_sandbox_state_free(_ state: OpaquePointer?) {
    release(state, as: SandboxStateHandle.self)
}

@_cdecl("nono_sandbox_state_net_blocked") @implementation
public func nono_sandbox_state_net_blocked(_ state: OpaquePointer?) -> Bool {
    result(orOnError: false) { () throws(NonoError) in try value(state).networkBlocked }
}

@_cdecl("nono_sandbox_state_fs_count") @implementation
public func nono_sandbox_state_fs_count(_ state: OpaquePointer?) -> Int {
    result(orOnError: 0) { () throws(NonoError) in try value(state).entries.count }
}

@_cdecl("nono_sandbox_state_to_json") @implementation
public func nono_sandbox_state_to_json(_ state: OpaquePointer?) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        try value(state).withJSON { nono_sys_copy_string($0.baseAddress, $0.count) }
    }
}

@_cdecl("nono_sandbox_state_from_json") @implementation
public func nono_sandbox_state_from_json(_ json: UnsafePointer<CChar>?) -> OpaquePointer? {
    parse { () throws(NonoError) in try textArgument(json, name: "json") }
}

@_cdecl("nono_sandbox_state_from_json_bytes") @implementation
public func nono_sandbox_state_from_json_bytes(_ json: UnsafePointer<CChar>?, _ length: Int) -> OpaquePointer? {
    parse { () throws(NonoError) in try textArgument(json, length, name: "json") }
}

@_cdecl("nono_sandbox_state_to_caps") @implementation
public func nono_sandbox_state_to_caps(_ state: OpaquePointer?) -> OpaquePointer? {
    result(orOnError: nil) { () throws(NonoError) in
        let caps = try value(state).capabilitySet { (path, access, isFile) throws(NonoError) in
            isFile ? try grantFile(path, access: access) : try grantDirectory(path, access: access)
        }
        return export(CapabilitySetHandle(caps))
    }
}

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

private func value(_ state: OpaquePointer?) throws(NonoError) -> SandboxState {
    try object(state, as: SandboxStateHandle.self, name: "state").value
}

private func parse(json: () throws(NonoError) -> [UInt8]) -> OpaquePointer? {
    result(orOnError: nil) { () throws(NonoError) in
        export(SandboxStateHandle(try SandboxState(json: try json())))
    }
}

/// A text that may be NULL, which is none.
private func optionalText(_ text: UnsafePointer<CChar>?, name: StaticString) throws(NonoError) -> [UInt8] {
    text == nil ? [] : try textArgument(text, name: name)
}
