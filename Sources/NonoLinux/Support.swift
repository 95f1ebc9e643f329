// SPDX-License-Identifier: Apache-2.0

internal import CNono

/// Whether and how this system can sandbox.
public struct Support: Sendable {
    public let isSupported: Bool
    public let platform: String
    /// One line for people.
    public let details: String
}

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
    return Support(
        isSupported: true, platform: "linux",
        details: "Landlock available (Landlock V\(abi.version), features: "
            + "\(abi.features.joined(separator: ", ")))")
}
