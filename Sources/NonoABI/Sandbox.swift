// SPDX-License-Identifier: Apache-2.0

// Putting a sandbox in force, and whether that is possible.

public import CNono
internal import NonoCore

@_cdecl("nono_sandbox_apply") @implementation
public func nono_sandbox_apply(_ caps: OpaquePointer?) -> NonoErrorCode {
    nono_sandbox_apply_with_options(caps, nil)
}

@_cdecl("nono_sandbox_apply_with_options") @implementation
public func nono_sandbox_apply_with_options(
    _ caps: OpaquePointer?, _ options: UnsafePointer<NonoApplyOptions>?
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        try Backend.apply(caps, options: try optionsArgument(options))
    }
}

@_cdecl("nono_sandbox_unenforced") @implementation
public func nono_sandbox_unenforced(
    _ caps: OpaquePointer?, _ options: UnsafePointer<NonoApplyOptions>?, _ outUnenforced: UnsafeMutablePointer<UInt64>?
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        let options = try optionsArgument(options)
        guard let outUnenforced else {
            throw NonoError(.invalidArgument, "out_unenforced pointer is NULL")
        }
        outUnenforced.pointee = try Backend.leavesOpen(caps, options: options).rawValue
    }
}

@_cdecl("nono_sandbox_status") @implementation
public func nono_sandbox_status(_ outStatus: UnsafeMutablePointer<NonoSandboxStatus>?) -> NonoErrorCode {
    status { () throws(NonoError) in
        guard let outStatus else {
            throw NonoError(.invalidArgument, "out_status pointer is NULL")
        }
        guard outStatus.pointee.struct_size == MemoryLayout<NonoSandboxStatus>.size else {
            throw NonoError(
                .invalidArgument, "struct_size of the status is \(UInt(bitPattern: outStatus.pointee.struct_size))")
        }
        var status = nono_sys_status()
        nono_sys_get_status(&status)
        let mode =
            !status.blocks_network
            ? NONO_NETWORK_MODE_ALLOW_ALL
            : status.allows_proxy ? NONO_NETWORK_MODE_PROXY_ONLY : NONO_NETWORK_MODE_BLOCKED
        outStatus.pointee = NonoSandboxStatus(
            struct_size: outStatus.pointee.struct_size, allowed: status.allowed, unenforced: status.unenforced,
            layers: status.layers, network_mode: mode, landlock_abi: status.landlock_abi,
            seccomp_mode: nono_sys_seccomp_mode(), unix_sockets_blocked: status.blocks_unix_sockets,
            is_incomplete: status.is_incomplete, no_new_privs: nono_sys_has_no_new_privs() == 1)
    }
}

@_cdecl("nono_sandbox_is_supported") @implementation
public func nono_sandbox_is_supported() -> Bool {
    Backend.isSupported
}

@_cdecl("nono_sandbox_support_info") @implementation
public func nono_sandbox_support_info() -> NonoSupportInfo {
    let support = Backend.support
    return NonoSupportInfo(
        is_supported: support.isSupported, platform: copyOut(support.platform), details: copyOut(support.details))
}

@_cdecl("nono_sandbox_kernel_abi") @implementation
public func nono_sandbox_kernel_abi() -> Int32 {
    Backend.kernelVersion
}

@_cdecl("nono_sandbox_used_abi") @implementation
public func nono_sandbox_used_abi() -> Int32 {
    Backend.usedVersion
}

func optionsArgument(_ options: UnsafePointer<NonoApplyOptions>?) throws(NonoError) -> SandboxOptions {
    guard let options else { return [] }
    // A larger struct is that of a later version; what it may ask for is not known here.
    guard options.pointee.struct_size == MemoryLayout<NonoApplyOptions>.size else {
        throw NonoError(
            .invalidArgument, "struct_size of the options is \(UInt(bitPattern: options.pointee.struct_size))")
    }
    let requested = SandboxOptions(rawValue: options.pointee.allow)
    guard SandboxOptions.all.isSuperset(of: requested) else {
        let unknown = requested.subtracting(.all).rawValue
        throw NonoError(.invalidArgument, "unknown options: 0x\(String(unknown, radix: 16))")
    }
    return requested
}
