// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore

/// The Landlock version of the running kernel; 0 if there is none.
public var kernelLandlockVersion: Int32 { max(0, nono_sys_landlock_abi()) }

/// The version whose rights are used of it; 0 if there is none.
public var usedLandlockVersion: Int32 { LandlockABI.used(onKernel: nono_sys_landlock_abi())?.version ?? 0 }

/// Whether the running kernel can sandbox at all.
public var isSandboxSupported: Bool { LandlockABI.used(onKernel: nono_sys_landlock_abi()) != nil }

/// Asks the running kernel. What it says about itself is the probe: no file is read, no ruleset is made.
public func sandboxSupport() -> Support {
    support(forKernelABI: nono_sys_landlock_abi())
}

func support(forKernelABI version: Int32) -> Support {
    guard let abi = LandlockABI.used(onKernel: version) else {
        return Support(
            isSupported: false, platform: "linux",
            details: "Landlock not available. Requires Linux kernel 5.13+ with Landlock enabled.")
    }
    // The text is part of the API and stops at what it knew first; newer versions are in the numbers.
    let version = min(abi.version, 6)
    return Support(
        isSupported: true, platform: "linux",
        details: "Landlock available (Landlock V\(version), features: "
            + "\(LandlockABI.features(upTo: version).joined(separator: ", ")))")
}
