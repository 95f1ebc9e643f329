// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore

/// A regular file, open to be read in parts. Anything else is not opened: to open a device can have effects.
struct RegularFile: ~Copyable {
    private let fd: Int32

    /// Opens what a path led to, unless something else is there now, or it cannot be read.
    init?(_ target: ResolvedPath) {
        let fd = RegularFile.open(target)
        guard fd >= 0 else { return nil }
        self.fd = fd
    }

    private static func open(_ target: ResolvedPath) -> Int32 {
        guard target.identity.isRegular else { return -EINVAL }
        let fd = target.path.withCString { nono_sys_open_to_read($0) }
        var identity = nono_sys_identity()
        var byte: UInt8 = 0
        guard
            fd < 0
                || (nono_sys_identify(fd, &identity) == 0 && ObjectIdentity(identity) == target.identity
                    && nono_sys_read_at(fd, &byte, 1, 0) >= 0)
        else {
            nono_sys_close(fd)
            return -EIO
        }
        return fd
    }

    deinit {
        nono_sys_close(fd)
    }

    /// As many bytes as there are at an offset, up to a number of them; none if they cannot be read.
    @inline(never)
    func read(at offset: UInt64, _ count: Int) -> [UInt8] {
        guard count > 0, offset <= UInt64(Int64.max) - UInt64(count) else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            length = max(0, nono_sys_read_at(fd, buffer.baseAddress, count, offset))
        }
    }

    /// What the loader reads of it, if it is an ELF file.
    @inline(never)
    var image: ELFImage? {
        ELFImage { offset, count in read(at: offset, count) }
    }

    /// The whole of a small file.
    @inline(never)
    static func contents(of target: ResolvedPath, upTo count: Int) -> [UInt8] {
        guard let file = RegularFile(target) else { return [] }
        return file.read(at: 0, count)
    }
}

/// The names in a directory, in no order; none if it cannot be read. More than 65536 are left out.
func namesInDirectory(_ target: ResolvedPath) -> [[UInt8]] {
    let fd = target.path.withCString { nono_sys_open_to_read($0) }
    guard fd >= 0 else { return [] }
    defer { nono_sys_close(fd) }
    var names: [[UInt8]] = []
    var buffer = [UInt8](repeating: 0, count: 32768)
    while names.count < 65536 {
        let length = nono_sys_read_entries(fd, &buffer, buffer.count)
        guard length > 0 else { break }
        // struct linux_dirent64: inode, offset, the length of the record (2 bytes), type, terminated name.
        var place = 0
        while place + 19 < length {
            let size = Int(buffer[place + 16]) | Int(buffer[place + 17]) << 8
            guard size > 19, place + size <= length else { break }
            var end = place + 19
            while end < place + size && buffer[end] != 0 {
                end += 1
            }
            names.append(Array(buffer[(place + 19)..<end]))
            place += size
        }
    }
    return names
}

/// Where a path leads; nil if nowhere.
@inline(never)
func lookUp(_ path: Path) -> ResolvedPath? {
    try? resolve(path)
}

/// The path of a name in a directory.
@inline(never)
func join(_ directory: Path, _ name: [UInt8]) -> Path {
    Path(directory.bytes + [Path.slash] + name)
}

@inline(never)
func join(_ directory: Path, _ name: StaticString) -> Path {
    join(directory, Path(name).bytes)
}

extension Path {
    /// The last component of a path without slashes at its end.
    var name: [UInt8] {
        Array(bytes[((bytes.lastIndex(of: Path.slash) ?? -1) + 1)...])
    }

    /// The directory above, by the text of an absolute path.
    var parent: Path {
        guard let slash = bytes.lastIndex(of: Path.slash), slash > 0 else { return Path.root }
        return Path(Array(bytes[..<slash]))
    }
}
