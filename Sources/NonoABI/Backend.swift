// SPDX-License-Identifier: Apache-2.0

// The one place that chooses who enforces a set on this system. Each backend has these functions.

internal import NonoCore

#if os(macOS) || NONO_SEATBELT_STAND_IN
    internal import NonoDarwin
#elseif os(Linux)
    internal import NonoLinux
#else
    #error("libnono can sandbox on Linux and macOS only")
#endif

enum Backend {
    static func apply(_ caps: CapabilitySet, options: SandboxOptions) throws(NonoError) {
        try applySandbox(caps, options: options)
    }

    static func leavesOpen(_ caps: CapabilitySet, options: SandboxOptions) throws(NonoError) -> Unenforced {
        try unenforced(caps, options: options)
    }

    static var isSupported: Bool { isSandboxSupported }
    static var support: Support { sandboxSupport() }
    static var kernelVersion: Int32 { kernelLandlockVersion }
    static var usedVersion: Int32 { usedLandlockVersion }
}
