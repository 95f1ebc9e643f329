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
    /// What this version added, in the words of `support_info`.
    let feature: String

    private init(
        _ version: Int32, _ feature: String, files: FileRights = [], network: NetworkRights = [], scopes: Scopes = [],
        sharesDomain: Bool = false, attributeSize: Int, after previous: LandlockABI? = nil
    ) {
        self.version = version
        self.feature = feature
        self.files = files.union(previous?.files ?? [])
        self.network = network.union(previous?.network ?? [])
        self.scopes = scopes.union(previous?.scopes ?? [])
        self.sharesDomain = sharesDomain || previous?.sharesDomain ?? false
        self.attributeSize = attributeSize
    }

    /// Every version that adds something to enforce; 7 adds flags for audit records only. A kernel newer than this table
    /// enforces what the last row says.
    static let table: [LandlockABI] = {
        let v1 = LandlockABI(1, "Basic filesystem access control", files: .first, attributeSize: 8)
        let v2 = LandlockABI(
            2, "File rename across directories (Refer)", files: .refer, attributeSize: 8, after: v1)
        let v3 = LandlockABI(3, "File truncation (Truncate)", files: .truncate, attributeSize: 8, after: v2)
        let v4 = LandlockABI(4, "TCP network filtering", network: .tcp, attributeSize: 16, after: v3)
        let v5 = LandlockABI(5, "Device ioctl filtering", files: .ioctlDevice, attributeSize: 16, after: v4)
        let v6 = LandlockABI(
            6, "Process scoping", scopes: [.abstractUnixSocket, .signal], attributeSize: 24, after: v5)
        let v8 = LandlockABI(8, "One domain for all threads", sharesDomain: true, attributeSize: 24, after: v6)
        let v9 = LandlockABI(9, "Pathname unix sockets", files: .resolveUnix, attributeSize: 24, after: v8)
        let v10 = LandlockABI(
            10, "UDP network filtering", network: [.bindUDP, .connectOrSendUDP], attributeSize: 24, after: v9)
        return [v1, v2, v3, v4, v5, v6, v8, v9, v10]
    }()

    /// The row for a kernel that reports `version`; nil if that is no version.
    static func used(onKernel version: Int32) -> LandlockABI? {
        table.last { $0.version <= version }
    }
}
