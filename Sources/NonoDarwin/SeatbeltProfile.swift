// SPDX-License-Identifier: Apache-2.0

public import NonoCore

/// The profile that enforces a set on macOS, in the language of its sandbox (SBPL).
///
/// Pure, and the same on every system. A later clause of a profile wins over an earlier one, so the order is part of the
/// meaning: rules of the caller come before writing and the network, which they cannot open any more.
/// - Parameter home: `$HOME`, below which the user's keychain lies.
public func seatbeltProfile(for caps: CapabilitySet, home: Path?) throws(NonoError) -> [UInt8] {
    var profile = SeatbeltProfile()
    profile.append(
        """
        (version 1)
        (deny default)
        (allow process-exec*)
        (allow process-fork)
        (allow process-info* (target self))
        (deny process-info* (target others))
        (allow sysctl-read)
        (allow mach-lookup)

        """)
    if !grantsLoginKeychain(caps, home: home) {
        profile.append(
            """
            (deny mach-lookup (global-name "com.apple.SecurityServer"))
            (deny mach-lookup (global-name "com.apple.securityd"))

            """)
    }
    profile.append(
        """
        (allow mach-per-user-lookup)
        (allow mach-task-name)
        (deny mach-priv*)
        (allow ipc-posix-shm-read-data)
        (allow ipc-posix-shm-write-data)
        (allow ipc-posix-shm-write-create)
        (allow signal (target self))
        (allow system-socket)
        (allow system-fsctl)
        (allow system-info)
        (allow file-read* (literal "/"))

        """)
    let readable = caps.grants.filter { $0.access.includes(.read) }
    let writable = caps.grants.filter { $0.access.includes(.write) }
    try profile.append(lookUpAbove: caps.grants)
    try profile.append("(allow file-map-executable (", readable)
    profile.append(
        """
        (allow file-ioctl (literal "/dev/tty"))
        (allow file-ioctl (regex #"^/dev/ttys[0-9]+$"))
        (allow file-ioctl (regex #"^/dev/pty[a-z][0-9a-f]+$"))

        """)
    try profile.append("(allow file-ioctl (", caps.grants)
    profile.append("(allow pseudo-tty)\n")
    try profile.append("(allow file-read* (", readable)
    for rule in caps.platformRules {
        try profile.append(rule)
    }
    try profile.append("(allow file-write* (", writable)
    profile.append(caps.network, blocksUnixSockets: caps.blocksUnixSockets)
    return profile.text
}

/// Whether a keychain itself is granted, in any mode: programs read it by way of the security services.
private func grantsLoginKeychain(_ caps: CapabilitySet, home: Path?) -> Bool {
    let name = "/Library/Keychains/login.keychain-db"
    var keychains = [Path(name)]
    if let home {
        keychains.append(Path(home.bytes + name.utf8))
    }
    return caps.grants.contains { grant in
        keychains.contains { keychain in
            grant.resolved.sameComponents(as: keychain) || grant.absoluteOriginal.sameComponents(as: keychain)
        }
    }
}

/// A profile that is being written.
private struct SeatbeltProfile {
    private(set) var text: [UInt8] = []

    mutating func append(_ part: StaticString) {
        text += UnsafeBufferPointer(start: part.utf8Start, count: part.utf8CodeUnitCount)
    }

    /// One clause for each path that leads to one of the grants, and none twice: `head`, the filter, two parentheses.
    mutating func append(_ head: StaticString, _ grants: [Grant]) throws(NonoError) {
        var filters: [[UInt8]] = []
        for grant in grants {
            for path in paths(of: grant) {
                var filter = Array(grant.isFile ? "literal ".utf8 : "subpath ".utf8)
                try appendQuoted(path, to: &filter)
                filters.append(filter)
            }
        }
        var isFirst = [Bool](repeating: false, count: filters.count)
        for position in distinct(filters) {
            isFirst[position] = true
        }
        for position in filters.indices where isFirst[position] {
            append(head)
            text += filters[position]
            append("))\n")
        }
    }

    /// Lets every directory above a grant be looked at, as resolving a path needs it. Sorted, none twice.
    mutating func append(lookUpAbove grants: [Grant]) throws(NonoError) {
        var ancestors: [[UInt8]] = []
        for grant in grants {
            for path in paths(of: grant) {
                var ancestor = path.lexicalParent
                while let directory = ancestor {
                    ancestors.append(directory.bytes)
                    ancestor = directory.lexicalParent
                }
            }
        }
        for position in distinct(ancestors) where isUTF8(ancestors[position]) {
            append("(allow file-read-metadata (literal ")
            try appendQuoted(Path(ancestors[position]), to: &text)
            append("))\n")
        }
    }

    mutating func append(_ rule: PlatformRule) throws(NonoError) {
        if let position = rule.text.firstIndex(of: 0) {
            throw .profile(
                "Invalid profile string: nul byte found in provided data at position: \(text.count + position)")
        }
        text += rule.text
        append("\n")
    }

    mutating func append(_ network: NetworkMode, blocksUnixSockets: Bool) {
        switch network {
        case .allowAll:
            append("(allow network-outbound)\n(allow network-inbound)\n(allow network-bind)\n")
            if blocksUnixSockets {
                append(
                    """
                    (deny network-outbound (remote unix-socket))
                    (deny network-inbound (local unix-socket))
                    (deny network-bind (local unix-socket))

                    """)
            }
        case .blocked, .proxyOnly(port: 0):
            append("(deny network*)\n")
        case .proxyOnly(let port):
            append("(deny network*)\n")
            text += "(allow network-outbound (remote tcp \"localhost:\(port)\"))\n".utf8
        }
    }

    /// The resolved path and, if it has other components, the one that the caller knows. A spelling that is not UTF-8
    /// cannot be written down, and goes without saying.
    private func paths(of grant: Grant) -> [Path] {
        let original = grant.absoluteOriginal
        let isKnown = original.sameComponents(as: grant.resolved) || !isUTF8(original.bytes)
        return isKnown ? [grant.resolved] : [grant.resolved, original]
    }

    /// A string that stands for the path and ends where it ends, or an error.
    private func appendQuoted(_ path: Path, to text: inout [UInt8]) throws(NonoError) {
        guard isUTF8(path.bytes) else {
            throw .profile("path contains non-UTF-8 bytes: \(path.text)", path: path)
        }
        if let control = path.firstControlCharacter {
            let digits = [control >> 4, control & 15].map { $0 < 10 ? $0 + UInt8(ascii: "0") : $0 + 0x37 }
            let hexadecimal = String(decoding: digits, as: UTF8.self)
            throw .profile("path contains control character 0x\(hexadecimal): \(path.text)", path: path)
        }
        text.append(UInt8(ascii: "\""))
        for byte in path.bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                text.append(UInt8(ascii: "\\"))
            }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
    }
}

/// The positions of the different texts, sorted by text; of equal ones the first.
private func distinct(_ texts: [[UInt8]]) -> [Int] {
    let positions = texts.indices.sorted { left, right in
        texts[left].lexicographicallyPrecedes(texts[right]) || (texts[left] == texts[right] && left < right)
    }
    var result: [Int] = []
    for position in positions where result.last.map({ texts[$0] != texts[position] }) ?? true {
        result.append(position)
    }
    return result
}

extension Path {
    /// The path as text without its last component and what separates it, and nil when only the root would be left:
    /// `/var//folders` for `/var//folders/x`. As for other libraries, `.` behind a slash is no component.
    fileprivate var lexicalParent: Path? {
        var end = withoutTrail(bytes.count)
        while end > 0 && bytes[end - 1] != Path.slash {
            end -= 1
        }
        end = withoutTrail(end)
        return end == 0 ? nil : Path(Array(bytes[..<end]))
    }

    /// Where the text ends without its trailing slashes and `/.`.
    private func withoutTrail(_ end: Int) -> Int {
        var end = end
        while end > 0 {
            if bytes[end - 1] == Path.slash {
                end -= 1
            } else if bytes[end - 1] == UInt8(ascii: "."), end > 1, bytes[end - 2] == Path.slash {
                end -= 2
            } else {
                break
            }
        }
        return end
    }

    /// The first character of Unicode's class Cc, of a path in UTF-8.
    fileprivate var firstControlCharacter: UInt8? {
        for (position, byte) in bytes.enumerated() {
            if byte < 0x20 || byte == 0x7F {
                return byte
            }
            if byte == 0xC2 && bytes[position + 1] < 0xA0 {
                return bytes[position + 1]
            }
        }
        return nil
    }
}

extension NonoError {
    fileprivate static func profile(_ reason: String, path: Path? = nil) -> NonoError {
        NonoError(
            .sandboxInit, "Sandbox initialization failed: \(reason)", diagnostic: .configurationError, path: path)
    }
}
