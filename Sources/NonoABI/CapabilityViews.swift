// SPDX-License-Identifier: Apache-2.0

// Reading capability sets.

public import CNono
internal import NonoCore
internal import NonoDarwin
internal import NonoSystem

@_cdecl("nono_capability_set_network_mode") @implementation
public func nono_capability_set_network_mode(_ caps: OpaquePointer?) -> UInt32 {
    switch value(caps)?.network {
    case .blocked: NONO_NETWORK_MODE_BLOCKED
    case .proxyOnly: NONO_NETWORK_MODE_PROXY_ONLY
    case .allowAll, nil: NONO_NETWORK_MODE_ALLOW_ALL
    }
}

@_cdecl("nono_capability_set_proxy_port") @implementation
public func nono_capability_set_proxy_port(_ caps: OpaquePointer?) -> UInt16 {
    if case .proxyOnly(let port)? = value(caps)?.network { port } else { 0 }
}

@_cdecl("nono_capability_set_path_covered") @implementation
public func nono_capability_set_path_covered(_ caps: OpaquePointer?, _ path: UnsafePointer<CChar>?) -> Bool {
    isCovered(caps) { () throws(NonoError) in try textArgument(path, name: "path") }
}

@_cdecl("nono_capability_set_path_covered_bytes") @implementation
public func nono_capability_set_path_covered_bytes(
    _ caps: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ length: Int
) -> Bool {
    isCovered(caps) { () throws(NonoError) in try bytesArgument(path, length, name: "path") }
}

@_cdecl("nono_capability_set_is_network_blocked") @implementation
public func nono_capability_set_is_network_blocked(_ caps: OpaquePointer?) -> Bool {
    read(caps) { $0.network.isBlocked } ?? false
}

@_cdecl("nono_capability_set_unix_sockets_blocked") @implementation
public func nono_capability_set_unix_sockets_blocked(_ caps: OpaquePointer?) -> Bool {
    read(caps) { $0.blocksUnixSockets } ?? false
}

@_cdecl("nono_capability_set_summary") @implementation
public func nono_capability_set_summary(_ caps: OpaquePointer?) -> UnsafeMutablePointer<CChar>? {
    value(caps).flatMap { copyOut($0.summary) }
}

@_cdecl("nono_capability_set_seatbelt_profile") @implementation
public func nono_capability_set_seatbelt_profile(_ caps: OpaquePointer?) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        return copyOut(try seatbeltProfile(for: caps, home: homeDirectory()))
    }
}

@_cdecl("nono_capability_set_fs_count") @implementation
public func nono_capability_set_fs_count(_ caps: OpaquePointer?) -> UInt {
    UInt(read(caps) { $0.grants.count } ?? 0)
}

@_cdecl("nono_capability_set_fs_original") @implementation
public func nono_capability_set_fs_original(_ caps: OpaquePointer?, _ index: UInt) -> UnsafeMutablePointer<CChar>? {
    grant(caps, index).flatMap { copyOut($0.original.bytes) }
}

@_cdecl("nono_capability_set_fs_resolved") @implementation
public func nono_capability_set_fs_resolved(_ caps: OpaquePointer?, _ index: UInt) -> UnsafeMutablePointer<CChar>? {
    grant(caps, index).flatMap { copyOut($0.resolved.bytes) }
}

@_cdecl("nono_capability_set_fs_access") @implementation
public func nono_capability_set_fs_access(_ caps: OpaquePointer?, _ index: UInt) -> UInt32 {
    grant(caps, index)?.access.rawValue ?? NONO_ACCESS_MODE_INVALID
}

@_cdecl("nono_capability_set_fs_is_file") @implementation
public func nono_capability_set_fs_is_file(_ caps: OpaquePointer?, _ index: UInt) -> Bool {
    grant(caps, index)?.isFile ?? false
}

@_cdecl("nono_capability_set_fs_source_tag") @implementation
public func nono_capability_set_fs_source_tag(_ caps: OpaquePointer?, _ index: UInt) -> NonoCapabilitySourceTag {
    switch grant(caps, index)?.source {
    case .group: NONO_CAPABILITY_SOURCE_TAG_GROUP
    case .system: NONO_CAPABILITY_SOURCE_TAG_SYSTEM
    case .profile: NONO_CAPABILITY_SOURCE_TAG_PROFILE
    case .user, nil: NONO_CAPABILITY_SOURCE_TAG_USER
    }
}

@_cdecl("nono_capability_set_fs_source_group_name") @implementation
public func nono_capability_set_fs_source_group_name(
    _ caps: OpaquePointer?, _ index: UInt
) -> UnsafeMutablePointer<CChar>? {
    if case .group(let name)? = grant(caps, index)?.source { copyOut(name) } else { nil }
}

/// A part of the set behind a handle; nil, with an error, for NULL.
private func read<Part>(_ caps: OpaquePointer?, _ part: (borrowing CapabilitySet) -> Part) -> Part? {
    result(orOnError: nil) { () throws(NonoError) in
        try object(caps, as: CapabilitySetHandle.self, name: "caps").read(part)
    }
}

/// The set behind a handle; nil, with an error, for NULL.
private func value(_ caps: OpaquePointer?) -> CapabilitySet? {
    result(orOnError: nil) { () throws(NonoError) in
        try object(caps, as: CapabilitySetHandle.self, name: "caps").value
    }
}

/// One grant of the set behind a handle; nil, with an error, for NULL or an index out of range.
private func grant(_ caps: OpaquePointer?, _ index: UInt) -> Grant? {
    result(orOnError: nil) { () throws(NonoError) in
        let found = try object(caps, as: CapabilitySetHandle.self, name: "caps").read { caps in
            index < UInt(caps.grants.count) ? caps.grants[Int(index)] : nil
        }
        guard let found else {
            throw NonoError(.invalidArgument, "index \(index) out of bounds")
        }
        return found
    }
}

private func isCovered(_ caps: OpaquePointer?, path: () throws(NonoError) -> [UInt8]) -> Bool {
    result(orOnError: false) { () throws(NonoError) in
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        guard let canonical = locate(Path(try path())) else { return false }
        return caps.coverage(of: canonical).firstDirectory != nil
    }
}
