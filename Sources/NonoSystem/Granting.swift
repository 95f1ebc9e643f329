// SPDX-License-Identifier: Apache-2.0

public import NonoCore

/// Grants a directory and everything below it; the path is resolved now.
public func grantDirectory(_ path: Path, access: AccessMode) throws(NonoError) -> Grant {
    try Grant(directory: path, resolvedTo: try resolve(path), access: access)
}

/// Grants one object that is not a directory; the path is resolved now.
public func grantFile(_ path: Path, access: AccessMode) throws(NonoError) -> Grant {
    try Grant(file: path, resolvedTo: try resolve(path), access: access)
}
