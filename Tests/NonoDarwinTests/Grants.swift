// SPDX-License-Identifier: Apache-2.0

import NonoCore

/// A grant of what a path leads to, on a file system that is not there.
func grant(
    _ original: [UInt8], leadingTo resolved: [UInt8], access: AccessMode = .read, isFile: Bool = false,
    from base: Path? = nil
) throws(NonoError) -> Grant {
    let identity = ObjectIdentity(device: 1, inode: 2, mode: isFile ? 0o100644 : 0o040755)
    let target = ResolvedPath(path: Path(resolved), identity: identity, base: base)
    return isFile
        ? try Grant(file: Path(original), resolvedTo: target, access: access)
        : try Grant(directory: Path(original), resolvedTo: target, access: access)
}

func grant(
    _ original: String, leadingTo resolved: String? = nil, access: AccessMode = .read, isFile: Bool = false,
    from base: String? = nil
) throws(NonoError) -> Grant {
    try grant(
        Array(original.utf8), leadingTo: Array((resolved ?? original).utf8), access: access, isFile: isFile,
        from: base.map { Path($0) })
}
