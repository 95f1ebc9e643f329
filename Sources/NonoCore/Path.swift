// SPDX-License-Identifier: Apache-2.0

/// A path as the kernel sees one: bytes.
///
/// Not a `String`, whose equality is Unicode canonical equivalence: a composed and a decomposed `é` name two files.
public struct Path: Equatable, Sendable {
    public static let slash = UInt8(ascii: "/")
    public static let root = Path([slash])

    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    @_disfavoredOverload
    public init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    @inline(never)
    public init(_ text: StaticString) {
        self.bytes = [UInt8](UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The text for people: what is not UTF-8 becomes U+FFFD.
    public var text: String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// The same in UTF-8.
    @inline(never)
    public var textBytes: [UInt8] {
        isUTF8(bytes) ? bytes : Array(text.utf8)
    }

    public var isAbsolute: Bool {
        bytes.first == Path.slash
    }

    /// Whether there is a NUL byte in it, which no path can hold that the kernel is given.
    public var hasNUL: Bool {
        bytes.withUnsafeBytes { NonoCore.hasNUL($0) }
    }

    /// The same path without the spelling that means nothing: repeated and trailing slashes, and `.` behind another
    /// component. `..` and a leading `.` stay.
    public var lexicallyNormal: Path {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        forEachComponent { component in
            let isDot = component.count == 1 && component[component.startIndex] == UInt8(ascii: ".")
            if isDot && (isAbsolute || !result.isEmpty) {
                return
            }
            if isAbsolute || !result.isEmpty {
                result.append(Path.slash)
            }
            result.append(contentsOf: component)
        }
        return Path(result.isEmpty && isAbsolute ? [Path.slash] : result)
    }

    /// Whether both name the same components; see `lexicallyNormal`.
    public func sameComponents(as other: Path) -> Bool {
        bytes == other.bytes || lexicallyNormal == other.lexicallyNormal
    }

    /// The absolute path that a relative one means below this canonical directory. Leading `.` and `..` are taken at
    /// their word; from the first name on, the spelling stays.
    func appending(_ relative: Path) -> Path {
        let text = relative.bytes
        var result = bytes
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count && text[end] == UInt8(ascii: ".") {
                end += 1
            }
            guard (1...2).contains(end - start) && (end == text.count || text[end] == Path.slash) else { break }
            if end - start == 2 {
                while let last = result.popLast(), last != Path.slash {}
            }
            while end < text.count && text[end] == Path.slash {
                end += 1
            }
            start = end
        }
        if start < text.count && result.last != Path.slash {
            result.append(Path.slash)
        }
        result += text[start...]
        return result.isEmpty ? .root : Path(result)
    }

    /// Whether the other path is this one or below it, by their text. Both must be absolute and `lexicallyNormal`.
    public func contains(_ other: Path) -> Bool {
        guard other.bytes.count > bytes.count else { return self == other }
        return other.bytes.starts(with: bytes) && (self == Path.root || other.bytes[bytes.count] == Path.slash)
    }

    /// Calls `body` with every component between slashes, `.` and `..` among them.
    public func forEachComponent(_ body: (ArraySlice<UInt8>) -> Void) {
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count && bytes[end] != Path.slash {
                end += 1
            }
            if end > start {
                body(bytes[start..<end])
            }
            start = end + 1
        }
    }
}
