// SPDX-License-Identifier: Apache-2.0

/// What one version of the kernel's Landlock interface can enforce, landlock(7).
struct LandlockABI: Equatable, Sendable {
    /// The version, as the kernel counts: Linux 5.13 has 1.
    let version: Int32
    let files: FileRights
    let network: NetworkRights
    let scopes: Scopes
    /// How many bytes of `struct landlock_ruleset_attr` are used with it.
    let attributeSize: Int
    /// One call restricts all threads of the process, into one domain.
    let sharesDomain: Bool

    /// What a version adds to the one before it.
    private struct Addition {
        let version: Int32
        let feature: String
        var files: FileRights = []
        var network: NetworkRights = []
        var scopes: Scopes = []
        var sharesDomain = false
        let attributeSize: Int
    }

    /// Every version that adds something to enforce; 7 adds flags for audit records only. A kernel newer than this table
    /// enforces what all rows say together.
    private static let additions: [Addition] = [
        Addition(version: 1, feature: "Basic filesystem access control", files: .first, attributeSize: 8),
        Addition(version: 2, feature: "File rename across directories (Refer)", files: .refer, attributeSize: 8),
        Addition(version: 3, feature: "File truncation (Truncate)", files: .truncate, attributeSize: 8),
        Addition(version: 4, feature: "TCP network filtering", network: .tcp, attributeSize: 16),
        Addition(version: 5, feature: "Device ioctl filtering", files: .ioctlDevice, attributeSize: 16),
        Addition(version: 6, feature: "Process scoping", scopes: [.abstractUnixSocket, .signal], attributeSize: 24),
        Addition(version: 8, feature: "One domain for all threads", sharesDomain: true, attributeSize: 24),
        Addition(version: 9, feature: "Pathname unix sockets", files: .resolveUnix, attributeSize: 24),
        Addition(
            version: 10, feature: "UDP network filtering", network: [.bindUDP, .connectOrSendUDP], attributeSize: 24),
    ]

    /// What is used on a kernel that reports `version`; nil if that is no version.
    static func used(onKernel version: Int32) -> LandlockABI? {
        var abi: LandlockABI?
        for addition in additions where addition.version <= version {
            abi = LandlockABI(
                version: addition.version,
                files: addition.files.union(abi?.files ?? []),
                network: addition.network.union(abi?.network ?? []),
                scopes: addition.scopes.union(abi?.scopes ?? []),
                attributeSize: addition.attributeSize,
                sharesDomain: addition.sharesDomain || abi?.sharesDomain ?? false)
        }
        return abi
    }

    /// What the versions up to this one added, in the words of `support_info`.
    static func features(upTo version: Int32) -> [String] {
        additions.filter { $0.version <= version }.map { $0.feature }
    }
}
