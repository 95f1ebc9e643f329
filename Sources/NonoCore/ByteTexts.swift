// SPDX-License-Identifier: Apache-2.0

// Reading bytes, in one function each: the generic ones of the standard library are compiled anew for every use.

/// Whether the text is at a place.
@inline(never)
public func isText(_ text: StaticString, in bytes: [UInt8], at place: Int) -> Bool {
    guard place + text.utf8CodeUnitCount <= bytes.count else { return false }
    for index in 0..<text.utf8CodeUnitCount where bytes[place + index] != text.utf8Start[index] {
        return false
    }
    return true
}

/// The parts between separators, which are single bytes, without empty ones.
@inline(never)
public func split(_ bytes: [UInt8], at separators: StaticString) -> [[UInt8]] {
    let separators = UnsafeBufferPointer(start: separators.utf8Start, count: separators.utf8CodeUnitCount)
    var parts: [[UInt8]] = []
    var part: [UInt8] = []
    for byte in bytes {
        if !separators.contains(byte) {
            part.append(byte)
        } else if !part.isEmpty {
            parts.append(part)
            part = []
        }
    }
    if !part.isEmpty {
        parts.append(part)
    }
    return parts
}

/// The little endian number of some bytes, which must be there.
@inline(never)
func number(_ bytes: [UInt8], _ place: Int, _ size: Int) -> UInt64 {
    var result: UInt64 = 0
    for index in 0..<size {
        result |= UInt64(bytes[place + index]) << UInt64(8 * index)
    }
    return result
}

/// Texts with `|` between them: one constant costs less than a list of them.
public struct Alternatives {
    private let texts: StaticString

    public init(_ texts: StaticString) {
        self.texts = texts
    }

    /// The length of the longest one that is at a place; nil if none is.
    @inline(never)
    public func length(in bytes: [UInt8], at place: Int) -> Int? {
        var longest: Int?
        var matched = 0
        var isEqual = true
        for index in 0...texts.utf8CodeUnitCount {
            let byte = index < texts.utf8CodeUnitCount ? texts.utf8Start[index] : UInt8(ascii: "|")
            if byte == UInt8(ascii: "|") {
                if isEqual && matched > longest ?? 0 {
                    longest = matched
                }
                matched = 0
                isEqual = true
            } else if isEqual {
                isEqual = place + matched < bytes.count && bytes[place + matched] == byte
                matched += 1
            }
        }
        return longest
    }
}
