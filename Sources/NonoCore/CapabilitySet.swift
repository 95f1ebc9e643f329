// SPDX-License-Identifier: Apache-2.0

/// What the network may be used for.
public enum NetworkMode: Equatable, Sendable {
    case allowAll
    case blocked
    /// TCP connections to this local port and nothing else; port 0 allows none.
    case proxyOnly(port: UInt16)

    public var isBlocked: Bool { self != .allowAll }
}

/// What a process keeps once the set is applied. A value: a copy is independent, and takes constant time.
public struct CapabilitySet: Sendable {
    /// In the order in which they were granted.
    public private(set) var grants: [Grant] = []
    public var network: NetworkMode = .allowAll
    /// Whether unix sockets are closed altogether, but for connected pairs.
    public var blocksUnixSockets = false
    /// Command names, UTF-8. Kept and saved; no kernel enforces them.
    public internal(set) var allowedCommands: [[UInt8]] = []
    public internal(set) var blockedCommands: [[UInt8]] = []
    public private(set) var platformRules: [PlatformRule] = []

    /// Finds the grants that cover a path. Always that of `grants`.
    private var index = GrantIndex()

    public init() {}

    public mutating func add(_ grant: Grant) {
        grants.append(grant)
        index.insert(at: grants.count - 1, of: grants)
    }

    public mutating func allowCommand(_ name: [UInt8]) {
        allowedCommands.append(name)
    }

    public mutating func blockCommand(_ name: [UInt8]) {
        blockedCommands.append(name)
    }

    public mutating func add(_ rule: PlatformRule) {
        platformRules.append(rule)
    }

    /// Merges grants of the same object; see `deduplicated(_:firsts:)`.
    public mutating func deduplicate() {
        let merged = deduplicated(grants, firsts: index.firsts)
        guard let merged else { return }
        grants = merged
        index = GrantIndex(of: grants)
    }

    /// Which grants cover a canonical path, its own and those of the directories above it.
    public func coverage(of canonical: Path) -> Coverage {
        index.coverage(of: canonical, in: grants)
    }

    /// A description for people, without a final newline.
    public var summary: String {
        var text = ""
        if grants.isEmpty {
            text += "(no capabilities granted)\n"
        } else {
            text += "Filesystem:\n"
            for grant in grants {
                text += "  \(grant.resolved.text) [\(grant.access.text)] (\(grant.isFile ? "file" : "dir"))\n"
            }
        }
        text += "Network:\n  outbound: "
        switch network {
        case .allowAll: text += "allowed"
        case .blocked: text += "blocked"
        case .proxyOnly(let port): text += "proxy-only (localhost:\(port))"
        }
        return text
    }
}
