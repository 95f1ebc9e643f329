// SPDX-License-Identifier: Apache-2.0

/// A cursor over JSON text (RFC 8259, strictly) that reads what the caller expects and says where it is not there.
///
/// The texts of the errors, and the places they name, are part of the interface: programs show them and tests compare
/// them. They are those of serde_json, which the first implementation was built on.
struct JSONReader {
    let bytes: [UInt8]
    /// What every error message starts with, such as `Invalid JSON: `.
    let context: String
    /// The number of bytes read so far.
    var index = 0

    init(_ bytes: [UInt8], context: String) {
        self.bytes = bytes
        self.context = context
    }

    /// The next byte, or `nil` at the end.
    var next: UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    /// Skips whitespace and returns the byte behind it, unread.
    mutating func skipSpace() -> UInt8? {
        index = bytes.withUnsafeBufferPointer { bytes in
            var end = index
            while end < bytes.count, isSpace(bytes[end]) {
                end += 1
            }
            return end
        }
        return next
    }

    /// Skips whitespace and returns the first byte of a value, unread.
    mutating func startOfValue() throws(NonoError) -> UInt8 {
        guard let byte = skipSpace() else {
            throw failureAtNext("EOF while parsing a value")
        }
        return byte
    }

    /// Reads whitespace up to the end of the text.
    mutating func end() throws(NonoError) {
        if skipSpace() != nil {
            throw failureAtNext("trailing characters")
        }
    }

    // MARK: Errors

    /// An error about what has been read.
    func failure(_ message: String) -> NonoError {
        failure(message, offset: index)
    }

    /// An error about the byte that comes next.
    func failureAtNext(_ message: String) -> NonoError {
        failure(message, offset: min(bytes.count, index + 1))
    }

    /// Lines count from 1; columns are the bytes of the line before `offset`.
    private func failure(_ message: String, offset: Int) -> NonoError {
        var line = 1
        var lineStart = 0
        for place in 0..<offset where bytes[place] == UInt8(ascii: "\n") {
            line += 1
            lineStart = place + 1
        }
        return NonoError(
            .configParse, "\(context)\(message) at line \(line) column \(offset - lineStart)",
            diagnostic: .configurationError)
    }

    /// Reads enough of a value of the wrong type to say what it is.
    mutating func failType(expected: String) throws(NonoError) -> Never {
        let found: String
        switch try startOfValue() {
        case UInt8(ascii: "n"):
            try literal("null")
            found = "null"
        case UInt8(ascii: "t"):
            try literal("true")
            found = "boolean `true`"
        case UInt8(ascii: "f"):
            try literal("false")
            found = "boolean `false`"
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let number = try number()
            found = number.isInteger ? "integer `\(number.text)`" : "floating point `\(number.text)`"
        case UInt8(ascii: "\""):
            found = try "string \(JSONText.debugQuoted(string()))"
        case UInt8(ascii: "["): found = "sequence"
        case UInt8(ascii: "{"): found = "map"
        default: throw failureAtNext("expected value")
        }
        throw failure("invalid type: \(found), expected \(expected)")
    }

    // MARK: Typed values

    mutating func bool() throws(NonoError) -> Bool {
        switch try startOfValue() {
        case UInt8(ascii: "t"):
            try literal("true")
            return true
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        default:
            try failType(expected: "a boolean")
        }
    }

    mutating func string(expected: String) throws(NonoError) -> [UInt8] {
        guard try startOfValue() == UInt8(ascii: "\"") else {
            try failType(expected: expected)
        }
        return try string()
    }

    /// Reads a list, each of its values with `element`.
    mutating func sequence(element: (inout JSONReader) throws(NonoError) -> Void) throws(NonoError) {
        guard try startOfValue() == UInt8(ascii: "[") else {
            try failType(expected: "a sequence")
        }
        index += 1
        var isFirst = true
        while try hasElement(first: isFirst) {
            try element(&self)
            isFirst = false
        }
        index += 1
    }

    /// Reads up to the next value of a list, or up to the `]` behind the last.
    mutating func hasElement(first isFirst: Bool) throws(NonoError) -> Bool {
        switch skipSpace() {
        case UInt8(ascii: "]"): return false
        case nil: throw failureAtNext("EOF while parsing a list")
        case UInt8(ascii: ",") where !isFirst: index += 1
        default:
            if isFirst {
                return true
            }
            throw failureAtNext("expected `,` or `]`")
        }
        if try startOfValue() == UInt8(ascii: "]") {
            throw failureAtNext("trailing comma")
        }
        return true
    }

    /// Reads the next key of an object but not its colon, or the `}` behind the last value.
    mutating func key(first isFirst: Bool) throws(NonoError) -> [UInt8]? {
        try hasKey(first: isFirst) ? try string() : nil
    }

    /// Reads up to the next key of an object, or the `}` behind the last value.
    mutating func hasKey(first isFirst: Bool) throws(NonoError) -> Bool {
        var byte = skipSpace()
        if byte == UInt8(ascii: "}") {
            index += 1
            return false
        }
        if byte != nil && !isFirst {
            guard byte == UInt8(ascii: ",") else {
                throw failureAtNext("expected `,` or `}`")
            }
            index += 1
            byte = try startOfValue()
            if byte == UInt8(ascii: "}") {
                throw failureAtNext("trailing comma")
            }
        }
        switch byte {
        case UInt8(ascii: "\""): return true
        case nil: throw failureAtNext("EOF while parsing an object")
        default: throw failureAtNext("key must be a string")
        }
    }

    mutating func colon() throws(NonoError) {
        switch skipSpace() {
        case UInt8(ascii: ":"): index += 1
        case nil: throw failureAtNext("EOF while parsing an object")
        default: throw failureAtNext("expected `:`")
        }
    }
}

private func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\t")
}
