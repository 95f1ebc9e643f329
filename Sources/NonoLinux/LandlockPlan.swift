// SPDX-License-Identifier: Apache-2.0

internal import NonoCore

/// What the kernel will be told to enforce a capability set: the ruleset, its rules and nothing yet of descriptors.
///
/// A plan is made from the set and the ABI alone, so that tests see what kernels would be told that are not there.
struct LandlockPlan: Sendable {
    struct PortRule: Equatable, Sendable {
        let port: UInt16
        let rights: NetworkRights
    }

    let abi: LandlockABI
    let handledFiles: FileRights
    let handledNetwork: NetworkRights
    let scopes: Scopes
    /// A rule for each, with `rights(at:)`.
    let grants: [Grant]
    let portRules: [PortRule]

    /// Throws when this ABI cannot enforce what the set asks for.
    init(for caps: CapabilitySet, options: SandboxOptions = [], abi: LandlockABI) throws(NonoError) {
        self.abi = abi
        handledFiles = abi.files
        var open: Scopes = []
        if options.contains(.signals) {
            open.insert(.signal)
        }
        if options.contains(.abstractUnixSockets) {
            open.insert(.abstractUnixSocket)
        }
        scopes = abi.scopes.subtracting(open)

        // A network that is blocked altogether is closed by seccomp on every kernel; a port takes Landlock.
        if case .proxyOnly = caps.network, abi.network.isEmpty {
            throw NonoError(
                .sandboxInit,
                "Sandbox initialization failed: Network filtering requested but kernel Landlock ABI doesn't support it"
                    + " (requires V4+). Refusing to start without network restrictions.",
                diagnostic: .unsupportedPlatformFeature)
        }
        handledNetwork = caps.network.isBlocked ? abi.network : []
        if case .proxyOnly(let port) = caps.network, port != 0 {
            portRules = [PortRule(port: port, rights: .connectTCP)]
        } else {
            portRules = []
        }

        grants = caps.grants
    }

    /// What the grant at a position gives on this kernel.
    func rights(at position: Int) -> FileRights {
        // By the field: a grant that is copied has its references counted, which in a process that was just forked
        // copies the pages that they are in.
        let access = grants[position].access
        let identity = grants[position].identity
        var rights: FileRights = []
        if access.includes(.read) {
            rights.formUnion(.reading)
        }
        if access.includes(.write) {
            rights.formUnion(.writing)
            if identity.isDevice || (identity.isDirectory && grants[position].resolved.isAtOrBelowDev) {
                rights.formUnion(.ioctlDevice)
            }
        }
        return (identity.isDirectory ? rights : rights.intersection(.onFile)).intersection(abi.files)
    }
}

extension Path {
    fileprivate var isAtOrBelowDev: Bool {
        let dev = "/dev".utf8
        return bytes.starts(with: dev) && (bytes.count == dev.count || bytes[dev.count] == Path.slash)
    }
}
