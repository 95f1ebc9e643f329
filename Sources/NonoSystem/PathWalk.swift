// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore

/// The walk of realpath(3), component by component, as text: links are read and their text takes their place.
struct PathWalk {
    /// A component that does not exist ends the walk with an error, or else is taken as a name like any other.
    let mustExist: Bool
    /// The path so far: absolute, without links, `.` and `..`.
    private(set) var result: [UInt8] = []
    /// The working directory, if the path is relative and leads to something that is to be granted.
    private(set) var base: Path?
    /// How many components at the end of `result` do not exist.
    private var missing = 0
    /// As many links as the kernel follows, path_resolution(7).
    private var linksLeft = 40
    /// The object at the end, if the walk came upon it.
    private(set) var identity: ObjectIdentity?

    /// What the kernel takes as a path, PATH_MAX, with the terminator.
    static let longestPath = 4096

    init(mustExist: Bool) {
        self.mustExist = mustExist
    }

    var canonical: Path { Path(result) }

    /// Walks the whole path. Returns 0 or an errno.
    mutating func follow(_ path: Path) -> Int32 {
        if path.bytes.isEmpty {
            return ENOENT
        }
        return walk(path) { $0.step($1, &$2) }
    }

    /// Appends the path as text, taking every component as a directory entry that is not a link.
    mutating func appendText(of path: Path) -> Int32 {
        let failure = walk(path) { walk, component, _ in
            walk.append(component)
            return 0
        }
        return failure != 0 || result.count < PathWalk.longestPath ? failure : ENAMETOOLONG
    }

    /// Ends the walk if what is left of it has no more links in it: the kernel tells that in one step, and the text is
    /// the rest of the way. What fails is walked on, which tells why.
    private mutating func finishWithoutLinks(_ pending: inout PendingComponents) {
        let rest = Path(result + [Path.slash] + pending.rest)
        var found = nono_sys_identity()
        if rest.hasNUL || rest.withCString({ nono_sys_identify_path($0, &found) }) != 0 {
            return
        }
        while let component = pending.next() {
            take(component) { $0.append($1) }
        }
        identity = ObjectIdentity(found)
    }

    private mutating func walk(
        _ path: Path, name: (inout PathWalk, PendingComponents.Component, inout PendingComponents) -> Int32
    ) -> Int32 {
        var failure = begin(at: path)
        var pending = PendingComponents(path.bytes)
        while failure == 0, let component = pending.next() {
            take(component) { failure = name(&$0, $1, &pending) }
        }
        return failure
    }

    /// `..` and `.` are what the text says when the path so far has no links in it; `name` takes any other component.
    private mutating func take(
        _ component: PendingComponents.Component, name: (inout PathWalk, PendingComponents.Component) -> Void
    ) {
        if component.isParent {
            removeLast()
        } else if !component.isSelf {
            name(&self, component)
        }
    }

    private mutating func begin(at path: Path) -> Int32 {
        if path.isAbsolute {
            result = [Path.slash]
            return 0
        }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: PathWalk.longestPath) { buffer in
            guard let base = buffer.baseAddress else { return ENOMEM }
            let length = nono_sys_getcwd(base, buffer.count)
            // A working directory outside of the root directory is told as a relative text, getcwd(3).
            if length <= 0 || base[0] != CChar(bitPattern: Path.slash) {
                return length < 0 ? Int32(-length) : ENOENT
            }
            result = (0..<length).map { UInt8(bitPattern: base[$0]) }
            if mustExist {
                self.base = Path(result)
            }
            return 0
        }
    }

    private mutating func step(_ component: PendingComponents.Component, _ pending: inout PendingComponents) -> Int32 {
        let parentLength = result.count
        append(component)
        if missing > 0 {
            missing += 1
            return 0
        }
        var failure = result.count < PathWalk.longestPath ? 0 : ENAMETOOLONG
        var target: [UInt8] = []
        if failure == 0 {
            failure = component.bytes.contains(0) ? ENOENT : readLink(into: &target)
        }
        switch failure {
        case 0:
            if linksLeft == 0 {
                return mustExist ? ELOOP : becomeMissing()
            }
            linksLeft -= 1
            result.removeSubrange((target.first == Path.slash ? 1 : parentLength)...)
            pending.insert(target)
            finishWithoutLinks(&pending)
            return 0
        case EINVAL:
            // There is something, and it is not a link.
            if mustExist && pending.requiresDirectoryNow {
                return -canonical.withCString { nono_sys_check_directory($0) }
            }
            return 0
        default:
            return mustExist ? failure : becomeMissing()
        }
    }

    private mutating func becomeMissing() -> Int32 {
        missing = 1
        return 0
    }

    private func readLink(into target: inout [UInt8]) -> Int32 {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: PathWalk.longestPath) { buffer in
            guard let base = buffer.baseAddress else { return ENOMEM }
            let length = canonical.withCString { nono_sys_readlink($0, base, buffer.count) }
            if length < 0 {
                return Int32(-length)
            }
            // A link to nothing cannot be made, but a file system may have one.
            if length == 0 {
                return ENOENT
            }
            target = (0..<length).map { UInt8(bitPattern: base[$0]) }
            return 0
        }
    }

    private mutating func append(_ component: PendingComponents.Component) {
        if result.count > 1 {
            result.append(Path.slash)
        }
        result.append(contentsOf: component.bytes)
    }

    private mutating func removeLast() {
        while let last = result.popLast(), last != Path.slash {}
        if result.isEmpty {
            result = [Path.slash]
        }
        missing = max(0, missing - 1)
    }
}

/// The text that is still to be walked: the path, with the targets of links before its rest.
struct PendingComponents {
    struct Component {
        let bytes: ArraySlice<UInt8>

        var isSelf: Bool { bytes.elementsEqual([UInt8(ascii: ".")]) }
        var isParent: Bool { bytes.elementsEqual([UInt8(ascii: "."), UInt8(ascii: ".")]) }
    }

    private var bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func next() -> Component? {
        while position < bytes.count && bytes[position] == Path.slash {
            position += 1
        }
        let start = position
        while position < bytes.count && bytes[position] != Path.slash {
            position += 1
        }
        return position > start ? Component(bytes: bytes[start..<position]) : nil
    }

    /// What has not been read.
    var rest: ArraySlice<UInt8> { bytes[position...] }

    mutating func insert(_ text: [UInt8]) {
        bytes = text + bytes[position...]
        position = 0
    }

    /// Whether what was read last must be a directory although no look-up in it will show that: a slash follows, and
    /// then nothing but `.`, or `..`.
    var requiresDirectoryNow: Bool {
        var rest = self
        guard position < bytes.count else { return false }
        while let component = rest.next() {
            if component.isParent {
                return true
            }
            if !component.isSelf {
                return false
            }
        }
        return true
    }
}
