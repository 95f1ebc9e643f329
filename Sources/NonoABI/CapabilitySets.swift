// SPDX-License-Identifier: Apache-2.0

// Making and changing capability sets.

public import CNono
internal import NonoCore
internal import NonoSystem

@_cdecl("nono_capability_set_new") @implementation
public func nono_capability_set_new() -> OpaquePointer? {
    export(CapabilitySetHandle(CapabilitySet()))
}

@_cdecl("nono_capability_set_copy") @implementation
public func nono_capability_set_copy(_ caps: OpaquePointer?) -> OpaquePointer? {
    result(orOnError: nil) { () throws(NonoError) in export(CapabilitySetHandle(try set(caps).value)) }
}

@_cdecl("nono_capability_set_free") @implementation
public func nono_capability_set_free(_ caps: OpaquePointer?) {
    release(caps, as: CapabilitySetHandle.self)
}

@_cdecl("nono_capability_set_allow_path") @implementation
public func nono_capability_set_allow_path(
    _ caps: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ mode: UInt32
) -> NonoErrorCode {
    add(grantDirectory, to: caps, mode) { () throws(NonoError) in try textArgument(path, name: "path") }
}

@_cdecl("nono_capability_set_allow_path_bytes") @implementation
public func nono_capability_set_allow_path_bytes(
    _ caps: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ length: Int, _ mode: UInt32
) -> NonoErrorCode {
    add(grantDirectory, to: caps, mode) { () throws(NonoError) in try bytesArgument(path, length, name: "path") }
}

@_cdecl("nono_capability_set_allow_file") @implementation
public func nono_capability_set_allow_file(
    _ caps: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ mode: UInt32
) -> NonoErrorCode {
    add(grantFile, to: caps, mode) { () throws(NonoError) in try textArgument(path, name: "path") }
}

@_cdecl("nono_capability_set_allow_file_bytes") @implementation
public func nono_capability_set_allow_file_bytes(
    _ caps: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ length: Int, _ mode: UInt32
) -> NonoErrorCode {
    add(grantFile, to: caps, mode) { () throws(NonoError) in try bytesArgument(path, length, name: "path") }
}

@_cdecl("nono_capability_set_set_network_blocked") @implementation
public func nono_capability_set_set_network_blocked(_ caps: OpaquePointer?, _ blocked: Bool) -> NonoErrorCode {
    status { () throws(NonoError) in try set(caps).modify { $0.network = blocked ? .blocked : .allowAll } }
}

@_cdecl("nono_capability_set_set_network_mode") @implementation
public func nono_capability_set_set_network_mode(_ caps: OpaquePointer?, _ mode: UInt32) -> NonoErrorCode {
    status { () throws(NonoError) in
        let set = try set(caps)
        switch mode {
        case NONO_NETWORK_MODE_BLOCKED: set.modify { $0.network = .blocked }
        case NONO_NETWORK_MODE_ALLOW_ALL: set.modify { $0.network = .allowAll }
        case NONO_NETWORK_MODE_PROXY_ONLY:
            set.modify {
                // A port that was set before stays.
                if case .proxyOnly = $0.network { return }
                $0.network = .proxyOnly(port: 0)
            }
        default: throw NonoError(.invalidArgument, "invalid network mode: \(mode)")
        }
    }
}

@_cdecl("nono_capability_set_set_proxy_port") @implementation
public func nono_capability_set_set_proxy_port(_ caps: OpaquePointer?, _ port: UInt16) -> NonoErrorCode {
    status { () throws(NonoError) in try set(caps).modify { $0.network = .proxyOnly(port: port) } }
}

@_cdecl("nono_capability_set_block_unix_sockets") @implementation
public func nono_capability_set_block_unix_sockets(_ caps: OpaquePointer?) -> NonoErrorCode {
    status { () throws(NonoError) in try set(caps).modify { $0.blocksUnixSockets = true } }
}

@_cdecl("nono_capability_set_allow_command") @implementation
public func nono_capability_set_allow_command(_ caps: OpaquePointer?, _ cmd: UnsafePointer<CChar>?) -> NonoErrorCode {
    change(caps, { $0.allowCommand($1) }) { () throws(NonoError) in try textArgument(cmd, name: "cmd") }
}

@_cdecl("nono_capability_set_block_command") @implementation
public func nono_capability_set_block_command(_ caps: OpaquePointer?, _ cmd: UnsafePointer<CChar>?) -> NonoErrorCode {
    change(caps, { $0.blockCommand($1) }) { () throws(NonoError) in try textArgument(cmd, name: "cmd") }
}

@_cdecl("nono_capability_set_allow_command_bytes") @implementation
public func nono_capability_set_allow_command_bytes(
    _ caps: OpaquePointer?, _ cmd: UnsafePointer<CChar>?, _ length: Int
) -> NonoErrorCode {
    change(caps, { $0.allowCommand($1) }) { () throws(NonoError) in try textArgument(cmd, length, name: "cmd") }
}

@_cdecl("nono_capability_set_block_command_bytes") @implementation
public func nono_capability_set_block_command_bytes(
    _ caps: OpaquePointer?, _ cmd: UnsafePointer<CChar>?, _ length: Int
) -> NonoErrorCode {
    change(caps, { $0.blockCommand($1) }) { () throws(NonoError) in try textArgument(cmd, length, name: "cmd") }
}

@_cdecl("nono_capability_set_add_platform_rule") @implementation
public func nono_capability_set_add_platform_rule(
    _ caps: OpaquePointer?, _ rule: UnsafePointer<CChar>?
) -> NonoErrorCode {
    change(caps, { $0.add($1) }) { () throws(NonoError) in try PlatformRule(try textArgument(rule, name: "rule")) }
}

@_cdecl("nono_capability_set_add_platform_rule_bytes") @implementation
public func nono_capability_set_add_platform_rule_bytes(
    _ caps: OpaquePointer?, _ rule: UnsafePointer<CChar>?, _ length: Int
) -> NonoErrorCode {
    change(caps, { $0.add($1) }) { () throws(NonoError) in
        try PlatformRule(try textArgument(rule, length, name: "rule"))
    }
}

@_cdecl("nono_capability_set_deduplicate") @implementation
public func nono_capability_set_deduplicate(_ caps: OpaquePointer?) {
    if let set = try? set(caps) {
        set.modify { $0.deduplicate() }
    }
}

private func set(_ caps: OpaquePointer?) throws(NonoError) -> CapabilitySetHandle {
    try object(caps, as: CapabilitySetHandle.self, name: "caps")
}

/// Resolves a path and grants it. The set is not locked meanwhile, and arguments are checked in the header's order.
private func add(
    _ grant: (Path, AccessMode) throws(NonoError) -> Grant, to caps: OpaquePointer?, _ mode: UInt32,
    path: () throws(NonoError) -> [UInt8]
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let set = try set(caps)
        let access = try modeArgument(mode)
        let grant = try grant(Path(try path()), access)
        set.modify { $0.add(grant) }
    }
}

private func change<Argument>(
    _ caps: OpaquePointer?, _ body: (inout CapabilitySet, Argument) -> Void,
    argument: () throws(NonoError) -> Argument
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let set = try set(caps)
        let argument = try argument()
        set.modify { body(&$0, argument) }
    }
}
