// SPDX-License-Identifier: Apache-2.0

/// An access that a program reports as refused and that its set does not give.
struct Denial {
    enum Remedy {
        case none
        case allowWorkingDirectory
        case grant(NonoError.Remedy)
    }

    /// As the program spelled it.
    let path: Path
    /// What of the access is not granted.
    let missing: AccessMode
    /// Where the path leads; nil if that cannot be told.
    private let canonical: Path?
    /// The deepest grant that covers the path with less than was needed.
    private let covering: Grant?

    /// Nil if the set gives the access: then it was not the sandbox that refused it.
    init?(_ access: StderrObservations.Access, canonical: Path?, caps: CapabilitySet) {
        let granted = canonical.flatMap { caps.coverage(of: $0).access }
        guard let missing = access.mode.subtracting(granted) else { return nil }
        self.path = access.path
        self.missing = missing
        self.canonical = canonical
        var deepest: Grant?
        for grant in caps.grants {
            if let canonical, grant.covers(canonical),
                grant.resolved.bytes.count > deepest?.resolved.bytes.count ?? 0
            {
                deepest = grant
            }
        }
        covering = deepest
    }

    /// What to grant; `workingDirectory` if all of it can be offered. Never the whole disk: nobody follows such advice
    /// with open eyes.
    func remedy(workingDirectory: Path?, isDirectory: Bool) -> Remedy {
        if let canonical, let workingDirectory, workingDirectory.contains(canonical),
            workingDirectory.contains(path.lexicallyNormal)
        {
            return .allowWorkingDirectory
        }
        if let covering, covering.resolved != Path.root {
            return .grant(NonoError.Remedy(path: covering.resolved, access: missing, isFile: covering.isFile))
        }
        if canonical == Path.root || path.lexicallyNormal == Path.root {
            return .none
        }
        return .grant(NonoError.Remedy(path: path, access: missing, isFile: !isDirectory))
    }
}

extension Grant {
    fileprivate func covers(_ canonical: Path) -> Bool {
        resolved == canonical || (!isFile && resolved.contains(canonical))
    }
}
