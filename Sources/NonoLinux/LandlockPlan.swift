// SPDX-License-Identifier: Apache-2.0

internal import NonoCore

/// What the kernel will be told to enforce a capability set: the ruleset, its rules and nothing yet of descriptors.
///
/// A plan is made from the set and the ABI alone, so that tests see what kernels would be told that are not there.
struct LandlockPlan: Sendable {
    struct PathRule: Equatable, Sendable {
        let path: Path
        /// The object the rule is for; another one in its place is an error.
        let identity: ObjectIdentity
        let rights: FileRights
    }

    struct PortRule: Equatable, Sendable {
        let port: UInt16
        let rights: NetworkRights
    }

    let abi: LandlockABI
    let handledFiles: FileRights
    let handledNetwork: NetworkRights
    let scopes: Scopes
    /// What is granted; `rule(for:)` makes a rule of each.
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

    /// The rule for one of the grants, made when it is wanted: thousands of them at once would take memory for nothing.
    func rule(for grant: Grant) -> PathRule {
        PathRule(
            path: grant.resolved, identity: grant.identity,
            rights: LandlockPlan.rights(of: grant).intersection(abi.files))
    }

    /// What a grant gives on a kernel that knows all rights.
    static func rights(of grant: Grant) -> FileRights {
        var rights: FileRights = []
        if grant.access.includes(.read) {
            rights.formUnion(.reading)
        }
        if grant.access.includes(.write) {
            rights.formUnion(.writing)
            if grant.identity.isDevice || (grant.identity.isDirectory && grant.resolved.isAtOrBelowDev) {
                rights.formUnion(.ioctlDevice)
            }
        }
        return grant.identity.isDirectory ? rights : rights.intersection(.onFile)
    }
}

extension Path {
    fileprivate var isAtOrBelowDev: Bool {
        let dev = "/dev".utf8
        return bytes.starts(with: dev) && (bytes.count == dev.count || bytes[dev.count] == Path.slash)
    }
}
