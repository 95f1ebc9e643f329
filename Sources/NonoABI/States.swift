// SPDX-License-Identifier: Apache-2.0

// Saved states.

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

private func value(_ state: OpaquePointer?) throws(NonoError) -> SandboxState {
    try object(state, as: SandboxStateHandle.self, name: "state").value
}

private func parse(json: () throws(NonoError) -> [UInt8]) -> OpaquePointer? {
    result(orOnError: nil) { () throws(NonoError) in
        export(SandboxStateHandle(try SandboxState(json: try json())))
    }
}
