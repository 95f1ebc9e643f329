// SPDX-License-Identifier: Apache-2.0

/// What the sandbox of a set would answer to an access of a path.
public enum PathAnswer: Equatable, Sendable {
    /// `path` is the grant that allows it, `access` what it gives.
    case allowed(path: Path, access: AccessMode)
    /// The path is covered, and everything that covers it gives only this.
    case insufficientAccess(granted: AccessMode)
    case notGranted
}

extension CapabilitySet {
    /// Whether `mode` is allowed on a canonical path.
    ///
    /// The kernel unites all rules from the object up to the root, so all covering grants count together. Of several
    /// that suffice alone, the first one granted is named; if only all together suffice, the first one that covers.
    public func answer(for canonical: Path, mode: AccessMode) -> PathAnswer {
        let coverage = coverage(of: canonical)
        guard let access = coverage.access, let first = coverage.first else { return .notGranted }
        if let sufficient = coverage.firstSufficient(for: mode) {
            return .allowed(path: grants[sufficient].resolved, access: grants[sufficient].access)
        }
        if access.includes(mode) {
            return .allowed(path: grants[first].resolved, access: access)
        }
        return .insufficientAccess(granted: access)
    }
}
