// SPDX-License-Identifier: Apache-2.0

internal import CNono

/// The tokens of JSON. Those of a value that nobody asked for are `ignored`: checked, but less closely, as their
/// meaning does not matter.
extension JSONReader {
    /// A number as it is written out again: an integer of 64 bits, or floating point.
    struct Number: Equatable {
        let text: String
        let isInteger: Bool
    }

    /// Reads the rest of `true`, `false` or `null`, its first byte being the next one.
    mutating func literal(_ word: StaticString) throws(NonoError) {
        for place in 0..<word.utf8CodeUnitCount {
            guard let byte = next else {
                throw failure("EOF while parsing a value")
            }
            index += 1
            if byte != word.utf8Start[place] {
                throw failure("expected ident")
            }
        }
    }

    // MARK: Strings

    /// Reads a string, its opening quote being the next byte, and returns what it stands for: valid UTF-8.
    mutating func string(ignored: Bool = false) throws(NonoError) -> [UInt8] {
        index += 1
        // Most strings are plain ASCII to their end, and then there is nothing to put together or to check.
        let start = index
        let end = bytes.withUnsafeBytes { endOfPlainASCII($0, from: start) }
        if end < bytes.count, bytes[end] == UInt8(ascii: "\"") {
            index = end + 1
            return copy(start..<end)
        }
        return try composedString(ignored: ignored)
    }

    private mutating func composedString(ignored: Bool) throws(NonoError) -> [UInt8] {
        var text: [UInt8] = []
        while true {
            let start = index
            index = endOfPlainText
            text.append(contentsOf: bytes[start..<index])
            switch next {
            case nil:
                throw failure("EOF while parsing a string")
            case UInt8(ascii: "\""):
                index += 1
                guard isUTF8(text) else {
                    throw failure("invalid unicode code point")
                }
                return text
            case UInt8(ascii: "\\"):
                index += 1
                try escape(into: &text, ignored: ignored)
            default:
                index += ignored ? 0 : 1
                throw failure("control character (\\u0000-\\u001F) found while parsing a string")
            }
        }
    }

    private func copy(_ range: Range<Int>) -> [UInt8] {
        bytes.withUnsafeBytes { bytes in
            [UInt8](unsafeUninitializedCapacity: range.count) { copy, count in
                UnsafeMutableRawBufferPointer(copy).copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
                count = range.count
            }
        }
    }

    /// Where the characters end that stand for themselves in a string, from the next one on.
    private var endOfPlainText: Int {
        bytes.withUnsafeBufferPointer { bytes in
            var end = index
            while end < bytes.count, JSONText.isPlain(bytes[end]) {
                end += 1
            }
            return end
        }
    }

    /// Reads this string if it comes next and is written without escapes.
    mutating func skip(quoted text: StaticString) -> Bool {
        skip(quotedPlain: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func skip(quoted text: [UInt8]) -> Bool {
        text.withUnsafeBufferPointer { isPlainASCII($0) && skip(quotedPlain: $0) }
    }

    private mutating func skip(quotedPlain text: UnsafeBufferPointer<UInt8>) -> Bool {
        let end = index + 1 + text.count
        guard end < bytes.count, bytes[index] == UInt8(ascii: "\""), bytes[end] == UInt8(ascii: "\"") else {
            return false
        }
        if let start = text.baseAddress {
            let isNext = bytes.withUnsafeBytes { bytes in
                // In range: the guard above looked behind it.
                bytes.baseAddress.map { isEqual($0 + index + 1, start, count: text.count) } ?? false
            }
            guard isNext else { return false }
        }
        index = end + 1
        return true
    }

    /// Reads what follows a backslash.
    private mutating func escape(into text: inout [UInt8], ignored: Bool) throws(NonoError) {
        guard let byte = next else {
            throw failure("EOF while parsing a string")
        }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            if !ignored {
                try text.append(contentsOf: String(scalar(startingWith: unit)).utf8)
            }
        default: throw failure("invalid escape")
        }
    }

    /// Completes a UTF-16 code unit to a character: a high surrogate needs `\u` and a low one behind it.
    private mutating func scalar(startingWith unit: UInt16) throws(NonoError) -> Unicode.Scalar {
        if let scalar = Unicode.Scalar(unit) {
            return scalar
        }
        if UTF16.isTrailSurrogate(unit) {
            throw failure("lone leading surrogate in hex escape")
        }
        for wanted in [UInt8(ascii: "\\"), UInt8(ascii: "u")] {
            guard let byte = next else {
                throw failure("EOF while parsing a string")
            }
            index += 1
            if byte != wanted {
                throw failure("unexpected end of hex escape")
            }
        }
        let second = try hexUnit()
        guard UTF16.isTrailSurrogate(second) else {
            throw failure("lone leading surrogate in hex escape")
        }
        return UTF16.decode(UTF16.EncodedScalar([unit, second]))
    }

    private mutating func hexUnit() throws(NonoError) -> UInt16 {
        guard index + 4 <= bytes.count else {
            index = bytes.count
            throw failure("EOF while parsing a string")
        }
        let digits = bytes[index..<index + 4]
        index += 4
        var unit: UInt16 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(digit - UInt8(ascii: "A") + 10)
            default: throw failure("invalid escape")
            }
        }
        return unit
    }

    // MARK: Numbers

    /// Reads a number, its first byte being the next one.
    mutating func number() throws(NonoError) -> Number {
        let start = index
        let isWhole = try scanNumber(ignored: false)
        let token = bytes[start..<index]
        let text = String(decoding: token, as: UTF8.self)
        // -0 is read as the number that keeps the sign.
        let isMinusZero = isWhole && token.elementsEqual("-0".utf8)
        if isWhole && !isMinusZero && (UInt64(text) != nil || Int64(text) != nil) {
            return Number(text: text, isInteger: true)
        }
        let value = nono_sys_parse_double(token.map { CChar(bitPattern: $0) } + [0])
        guard value.isFinite else {
            index = start + lengthUpToOverflow(Array(token))
            throw failure("number out of range")
        }
        return Number(text: JSONText.decimal(value), isInteger: false)
    }

    /// How much of a number that is too large one has to read to know: all of it, or up to the digit with which the
    /// exponent leaves 32 bits.
    private func lengthUpToOverflow(_ token: [UInt8]) -> Int {
        guard let mark = token.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
            return token.count
        }
        var exponent: Int64 = 0
        for place in token.indices[(mark + 1)...] where isDigit(token[place]) {
            exponent = exponent * 10 + Int64(token[place] - UInt8(ascii: "0"))
            if exponent > Int32.max {
                return place + 1
            }
        }
        return token.count
    }

    /// Reads a number and tells whether it is one without fraction and exponent.
    @discardableResult
    mutating func scanNumber(ignored: Bool) throws(NonoError) -> Bool {
        let endOfText = ignored ? "invalid number" : "EOF while parsing a value"
        if next == UInt8(ascii: "-") {
            index += 1
        }
        if try firstDigit(endOfText) == UInt8(ascii: "0") {
            if isDigit(next) {
                throw failureAtNext("invalid number")
            }
        } else {
            skipDigits()
        }
        var isWhole = true
        if next == UInt8(ascii: ".") {
            isWhole = false
            index += 1
            guard isDigit(next) else {
                throw failureAtNext(next == nil ? endOfText : "invalid number")
            }
            skipDigits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isWhole = false
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") {
                index += 1
            }
            _ = try firstDigit(endOfText)
            skipDigits()
        }
        return isWhole
    }

    private mutating func firstDigit(_ endOfText: String) throws(NonoError) -> UInt8 {
        guard let byte = next else {
            throw failure(endOfText)
        }
        index += 1
        guard isDigit(byte) else {
            throw failure("invalid number")
        }
        return byte
    }

    private mutating func skipDigits() {
        while isDigit(next) {
            index += 1
        }
    }

    private func isDigit(_ byte: UInt8?) -> Bool {
        guard let byte else {
            return false
        }
        return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}
