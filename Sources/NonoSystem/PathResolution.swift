// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore

/// Resolves a path as realpath(3) does, against the working directory: every part must exist, links are followed.
///
/// The canonical path and the identity belong together: the object was reached by that very path without a link.
public func resolve(_ path: Path) throws(NonoError) -> ResolvedPath {
    if path.hasNUL {
        throw .unresolvableNUL(path)
    }
    if let direct = resolveWithoutLinks(path) {
        return direct
    }
    // Something can change between the walk and the last step; then the walk is out of date and starts anew.
    var failure = ELOOP
    for _ in 0..<8 {
        var walk = PathWalk(mustExist: true)
        failure = walk.follow(path)
        if failure != 0 {
            throw .unresolvable(path, osError: failure)
        }
        var identity = walk.identity
        if identity == nil {
            var found = nono_sys_identity()
            failure = -walk.canonical.withCString { nono_sys_identify_path($0, &found) }
            identity = failure == 0 ? ObjectIdentity(found) : nil
        }
        if let identity {
            return ResolvedPath(path: walk.canonical.onDisk, identity: identity, base: walk.base)
        }
        // Other failures do not come from a change underway.
        if failure != ENOENT && failure != ELOOP && failure != ENOTDIR {
            break
        }
    }
    throw .unresolvable(path, osError: failure)
}

/// The canonical path that an access of `path` would reach, for questions about it; nil if it can reach nothing.
///
/// A part that does not exist, or cannot be looked at, stands for itself below what is above it, so that the answer for
/// a file that is yet to be made is that for the place where it would be made.
public func locate(_ path: Path) -> Path? {
    if path.bytes.isEmpty {
        return nil
    }
    if !path.hasNUL {
        // A link on the way is told before anything that is missing behind it: what is in front of the first missing
        // part is then as it is spelled, and what is behind it stands for itself, unless `..` leads back.
        let failure = path.withCString { nono_sys_identify_path($0, nil) }
        if failure == 0 || (failure == -ENOENT && !path.hasParentComponent),
            let canonical = canonicalWithoutLinks(path)
        {
            return canonical
        }
    }
    var walk = PathWalk(mustExist: false)
    return walk.follow(path) == 0 ? walk.canonical.onDisk : nil
}

/// Whether a path leads to a directory, through links too.
@inline(never)
public func isDirectory(_ path: Path) -> Bool {
    !path.bytes.contains(0) && path.withCString { nono_sys_check_directory($0) } == 0
}

/// The common case in three system calls: no part of the path is a link. Nil for everything else, errors too: the walk
/// tells them exactly.
private func resolveWithoutLinks(_ path: Path) -> ResolvedPath? {
    var identity = nono_sys_identity()
    guard path.withCString({ nono_sys_identify_path($0, &identity) }) == 0 else { return nil }
    guard let canonical = canonicalWithoutLinks(path) else { return nil }
    return ResolvedPath(path: canonical, identity: ObjectIdentity(identity))
}

/// The canonical form of a path that exists and has no links in it: then `..` is what the text says.
private func canonicalWithoutLinks(_ path: Path) -> Path? {
    if path.isAbsolute && path.isCanonicalText {
        return path.onDisk
    }
    var walk = PathWalk(mustExist: false)
    return walk.appendText(of: path) == 0 ? walk.canonical.onDisk : nil
}

/// Which object an open descriptor is. What is thrown otherwise is made from the errno.
public func identify(
    _ descriptor: Int32, orThrow failure: (_ osError: Int32) -> NonoError
) throws(NonoError) -> ObjectIdentity {
    var identity = nono_sys_identity()
    let result = nono_sys_identify(descriptor, &identity)
    if result < 0 {
        throw failure(-result)
    }
    return ObjectIdentity(identity)
}

extension ObjectIdentity {
    init(_ identity: nono_sys_identity) {
        self.init(device: identity.device, inode: identity.inode, mode: identity.mode)
    }
}

extension Path {
    /// A canonical path with the names that the file system has for its parts: on macOS `/users` leads to `/Users`.
    /// What does not exist stays as it is.
    fileprivate var onDisk: Path {
        #if os(macOS) || NONO_SEATBELT_STAND_IN
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: PathWalk.longestPath) { buffer in
                guard let base = buffer.baseAddress else { return self }
                let length = withCString { nono_sys_name_on_disk($0, base, buffer.count) }
                return length < 0 ? self : Path((0..<length).map { UInt8(bitPattern: base[$0]) })
            }
        #else
            return self
        #endif
    }

    /// Whether the text of an absolute path is in canonical form: single slashes, none at the end, no `.` or `..`.
    var isCanonicalText: Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var start = 1
            while start < bytes.count {
                var end = start
                while end < bytes.count && bytes[end] != Path.slash {
                    end &+= 1
                }
                let isDots =
                    end == start
                    || bytes[start] == UInt8(ascii: ".")
                        && (end == start + 1 || end == start + 2 && bytes[start + 1] == UInt8(ascii: "."))
                // A slash at the end has an empty component behind it.
                if isDots || end == bytes.count - 1 {
                    return false
                }
                start = end + 1
            }
            return true
        }
    }

    fileprivate var hasParentComponent: Bool {
        var found = false
        forEachComponent { component in
            if component.elementsEqual([UInt8(ascii: "."), UInt8(ascii: ".")]) {
                found = true
            }
        }
        return found
    }

    /// Calls `body` with the bytes and a terminator behind them. The path must not hold a NUL byte.
    public func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            buffer[bytes.count] = 0
            return body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
        }
    }
}
