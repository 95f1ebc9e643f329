// SPDX-License-Identifier: Apache-2.0

// What may be run, and with which environment. Guard rails and not containment: what a command can do is decided by
// the grants, whatever it is called.

extension CapabilitySet {
    /// Throws if one of the names of a program is blocked and not allowed: those by which it was found and to which
    /// links lead.
    public func checkCommand(_ paths: [Path]) throws(NonoError) {
        for path in paths {
            let name = path.lastComponent
            if blockedCommands.contains(name) && !allowedCommands.contains(name) {
                throw NonoError(
                    .blockedCommand,
                    "Command '\(Path(name).text)' is blocked: it is on the set's block list and not on its allow list",
                    diagnostic: .configurationError, path: path)
            }
        }
    }
}

/// Checks an environment given as `NAME=VALUE` entries. What the dynamic loader takes from it would run in the command
/// before the command does, and is refused unless `allowsLoaderVariables`.
public func checkEnvironment(_ entries: [[UInt8]], allowsLoaderVariables: Bool) throws(NonoError) {
    for entry in entries {
        guard let end = entry.firstIndex(of: UInt8(ascii: "=")) else {
            throw NonoError(.invalidArgument, "environment entry '\(Path(entry).text)' must contain '='")
        }
        let name = [UInt8](entry[..<end])
        if name.isEmpty {
            throw NonoError(.invalidArgument, "environment variable name must not be empty")
        }
        if !allowsLoaderVariables && isLoaderVariable(name) {
            throw NonoError(
                .invalidArgument, "environment variable '\(Path(name).text)' is not allowed in sandboxed_exec",
                diagnostic: .configurationError)
        }
    }
}

private func isLoaderVariable(_ name: [UInt8]) -> Bool {
    name.starts(with: Array("LD_".utf8)) || name.starts(with: Array("DYLD_".utf8)) || name == Array("LIBPATH".utf8)
        || name == Array("SHLIB_PATH".utf8)
}

extension Path {
    /// What is behind the last slash.
    public var lastComponent: [UInt8] {
        guard let slash = bytes.lastIndex(of: Path.slash) else { return bytes }
        return [UInt8](bytes[(slash + 1)...])
    }
}
