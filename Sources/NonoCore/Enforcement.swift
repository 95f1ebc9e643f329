// SPDX-License-Identifier: Apache-2.0

// What a backend says about the system that it enforces sets on.

/// Whether and how this system can sandbox.
public struct Support: Sendable {
    public let isSupported: Bool
    public let platform: String
    /// One line for people.
    public let details: String

    public init(isSupported: Bool, platform: String, details: String) {
        self.isSupported = isSupported
        self.platform = platform
        self.details = details
    }
}

/// What a kernel leaves open although a sandbox should close it. Raw values are those of `NONO_UNENFORCED_*` in nono.h.
public struct Unenforced: OptionSet, Equatable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// chmod, chown, times and extended attributes. On Linux, no kernel so far.
    public static let metadata = Unenforced(rawValue: 1 << 0)
    /// Truncating a file that may not be written, before ABI 3.
    public static let truncation = Unenforced(rawValue: 1 << 1)
    /// ioctl(2) on devices, before ABI 5.
    public static let deviceControl = Unenforced(rawValue: 1 << 2)
    /// Signals to processes outside, before ABI 6.
    public static let signals = Unenforced(rawValue: 1 << 3)
    /// Abstract unix sockets of processes outside, before ABI 6.
    public static let abstractUnixSockets = Unenforced(rawValue: 1 << 4)
    /// Unix sockets by path, before ABI 9; on macOS, as long as the network is open.
    public static let pathnameUnixSockets = Unenforced(rawValue: 1 << 5)
}
