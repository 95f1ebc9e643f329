// SPDX-License-Identifier: Apache-2.0

/// Which object in a file system a path leads to: what a grant is bound to, whatever its name leads to later.
public struct ObjectIdentity: Equatable, Sendable {
    public let device: UInt64
    public let inode: UInt64
    /// The file type bits of `st_mode`, inode(7).
    public let type: UInt32

    public init(device: UInt64, inode: UInt64, mode: UInt32) {
        self.device = device
        self.inode = inode
        self.type = mode & 0o170000
    }

    public var isDirectory: Bool { type == 0o040000 }
    public var isRegular: Bool { type == 0o100000 }
    public var isDevice: Bool { type == 0o020000 || type == 0o060000 }

    /// The type in words, as an error message names it.
    public var typeName: String {
        switch type {
        case 0o010000: "FIFO"
        case 0o020000: "character device"
        case 0o040000: "directory"
        case 0o060000: "block device"
        case 0o100000: "regular file"
        case 0o120000: "symbolic link"
        case 0o140000: "socket"
        default: "object of an unknown type"
        }
    }
}

/// Where a path leads: its canonical form and the object found there.
public struct ResolvedPath: Equatable, Sendable {
    public let path: Path
    public let identity: ObjectIdentity
    /// The directory that a relative path was resolved against, if links were followed on the way.
    public let base: Path?

    public init(path: Path, identity: ObjectIdentity, base: Path? = nil) {
        self.path = path
        self.identity = identity
        self.base = base
    }
}

/// One path of a capability set and what may be done with it.
public struct Grant: Sendable {
    /// Who granted it. What a user asks for wins over what a group or the system provides.
    public enum Source: Equatable, Sendable {
        case user
        case profile
        case system
        case group([UInt8])

        var isIntended: Bool { self == .user || self == .profile }
    }

    /// The path as the caller gave it.
    public private(set) var original: Path
    /// See `ResolvedPath.base`.
    private var base: Path?
    /// The canonical path it led to when it was granted.
    public let resolved: Path
    public let identity: ObjectIdentity
    public internal(set) var access: AccessMode
    /// Whether one object is granted, and not a directory with all below it.
    public let isFile: Bool
    public let source: Source

    /// A grant of everything below a directory.
    public init(
        directory original: Path, resolvedTo target: ResolvedPath, access: AccessMode, source: Source = .user
    ) throws(NonoError) {
        guard target.identity.isDirectory else {
            throw NonoError(
                .expectedDirectory, "Expected a directory but got a file: \(original.text)",
                diagnostic: .configurationError, path: original,
                remedy: NonoError.Remedy(path: original, access: access, isFile: true))
        }
        self.init(original: original, target: target, access: access, isFile: false, source: source)
    }

    /// A grant of one object that is not a directory.
    public init(
        file original: Path, resolvedTo target: ResolvedPath, access: AccessMode, source: Source = .user
    ) throws(NonoError) {
        guard !target.identity.isDirectory else {
            throw NonoError(
                .expectedFile, "Expected a file but got a directory: \(original.text)",
                diagnostic: .configurationError, path: original,
                remedy: NonoError.Remedy(path: original, access: access, isFile: false))
        }
        self.init(original: original, target: target, access: access, isFile: true, source: source)
    }

    /// A grant of an object of whatever type it has.
    public init(of original: Path, resolvedTo target: ResolvedPath, access: AccessMode, source: Source) {
        self.init(
            original: original, target: target, access: access, isFile: !target.identity.isDirectory, source: source)
    }

    private init(original: Path, target: ResolvedPath, access: AccessMode, isFile: Bool, source: Source) {
        self.resolved = target.path
        // The common case is an absolute path without links: both then share one array.
        self.original = original == target.path ? target.path : original
        self.base = target.base
        self.identity = target.identity
        self.access = access
        self.isFile = isFile
        self.source = source
    }

    /// The original spelling as an absolute path, whatever the working directory is now.
    ///
    /// Of a relative path that followed no link, the resolved path is that already.
    public var absoluteOriginal: Path {
        original.isAbsolute ? original : base?.appending(original) ?? resolved
    }

    /// Takes over how another grant of the same object is spelled.
    mutating func takeSpelling(of other: Grant) {
        original = other.original
        base = other.base
    }
}
