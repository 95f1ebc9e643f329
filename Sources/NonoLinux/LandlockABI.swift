// SPDX-License-Identifier: Apache-2.0

/// What one version of the kernel's Landlock interface can enforce, landlock(7).
struct LandlockABI: Equatable, Sendable {
    /// The version, as the kernel counts: Linux 5.13 has 1.
    let version: Int32
    let files: FileRights
    let network: NetworkRights
    let scopes: Scopes
    /// How many bytes of `struct landlock_ruleset_attr` it knows.
    let attributeSize: Int
    /// What this version added, in the words of `support_info`.
    let feature: String

    /// Every version that adds something to enforce. 7 (audit flags) and 8 (a flag for all threads) do not; a kernel
    /// newer than this table enforces what the last row says.
    static let table: [LandlockABI] = [
        LandlockABI(
            version: 1, files: .first, network: [], scopes: [], attributeSize: 8,
            feature: "Basic filesystem access control"),
        LandlockABI(
            version: 2, files: [.first, .refer], network: [], scopes: [], attributeSize: 8,
            feature: "File rename across directories (Refer)"),
        LandlockABI(
            version: 3, files: [.first, .refer, .truncate], network: [], scopes: [], attributeSize: 8,
            feature: "File truncation (Truncate)"),
        LandlockABI(
            version: 4, files: [.first, .refer, .truncate], network: [.bindTCP, .connectTCP], scopes: [],
            attributeSize: 16, feature: "TCP network filtering"),
        LandlockABI(
            version: 5, files: [.first, .refer, .truncate, .ioctlDevice], network: [.bindTCP, .connectTCP],
            scopes: [], attributeSize: 16, feature: "Device ioctl filtering"),
        LandlockABI(
            version: 6, files: [.first, .refer, .truncate, .ioctlDevice], network: [.bindTCP, .connectTCP],
            scopes: [.abstractUnixSocket, .signal], attributeSize: 24, feature: "Process scoping"),
    ]

    /// The row for a kernel that reports `version`; nil if that is no version.
    static func used(onKernel version: Int32) -> LandlockABI? {
        table.last { $0.version <= version }
    }

    /// What this version and those before it added.
    var features: [String] {
        LandlockABI.table.filter { $0.version <= version }.map { $0.feature }
    }
}
