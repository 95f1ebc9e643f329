// SPDX-License-Identifier: Apache-2.0

// Putting a sandbox in force, and whether that is possible.

public import CNono
internal import NonoCore
internal import NonoLinux

@_cdecl("nono_sandbox_apply") @implementation
public func nono_sandbox_apply(_ caps: OpaquePointer?) -> NonoErrorCode {
    status { () throws(NonoError) in
        try applySandbox(try object(caps, as: CapabilitySetHandle.self, name: "caps").value)
    }
}

@_cdecl("nono_sandbox_is_supported") @implementation
public func nono_sandbox_is_supported() -> Bool {
    sandboxSupport().isSupported
}

@_cdecl("nono_sandbox_support_info") @implementation
public func nono_sandbox_support_info() -> NonoSupportInfo {
    let support = sandboxSupport()
    return NonoSupportInfo(
        is_supported: support.isSupported, platform: copyOut(support.platform), details: copyOut(support.details))
}
