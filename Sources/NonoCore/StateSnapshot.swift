// SPDX-License-Identifier: Apache-2.0

extension SandboxState {
    /// What a set grants, as text. A state knows a blocked and an open network only: a proxy's port is left out, which
    /// makes the restored set narrower, never wider.
    public init(_ caps: CapabilitySet) {
        self.init()
        entries = caps.grants.map { grant in
            Entry(
                original: grant.original.bytes, resolved: grant.resolved.bytes,
                access: .mode(grant.access), isFile: grant.isFile)
        }
        networkBlocked = caps.network.isBlocked
        unixSocketsBlocked = caps.blocksUnixSockets
        allowedCommands = caps.allowedCommands
        blockedCommands = caps.blockedCommands
        platformRules = caps.platformRules.map { $0.text }
    }

    /// Grants again what was saved: each original path, and only if it still leads where it led.
    ///
    /// `grant` resolves and grants one path. The first entry that fails ends the whole.
    public func capabilitySet(
        granting grant: (_ original: Path, _ access: AccessMode, _ isFile: Bool) throws(NonoError) -> Grant
    ) throws(NonoError) -> CapabilitySet {
        var caps = CapabilitySet()
        for entry in entries {
            let access: AccessMode
            switch entry.access {
            case .mode(let mode): access = mode
            case .unknown(let text):
                throw NonoError(
                    .configParse,
                    "Configuration parse error: invalid access mode in sandbox state: \(Path(text).text)",
                    diagnostic: .configurationError)
            }
            let original = Path(entry.original)
            let restored = try grant(original, access, entry.isFile)
            let saved = Path(entry.resolved)
            guard restored.resolved.sameComponents(as: saved) else {
                throw NonoError(
                    .configParse,
                    "Configuration parse error: \(original.text) led to \(saved.text) when the sandbox state was saved,"
                        + " and now leads to \(restored.resolved.text)",
                    diagnostic: .configurationError, path: original)
            }
            caps.add(restored)
        }
        if networkBlocked {
            caps.network = .blocked
        }
        caps.blocksUnixSockets = unixSocketsBlocked
        caps.allowedCommands = allowedCommands
        caps.blockedCommands = blockedCommands
        for rule in platformRules {
            caps.add(try PlatformRule(rule))
        }
        return caps
    }
}
