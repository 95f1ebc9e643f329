// SPDX-License-Identifier: Apache-2.0

internal import CNono

/// Whether these bytes are UTF-8.
public func isUTF8(_ bytes: [UInt8]) -> Bool {
    if bytes.withUnsafeBytes({ isASCII($0) }) {
        return true
    }
    var decoder = UTF8()
    var rest = bytes.makeIterator()
    while true {
        switch decoder.decode(&rest) {
        case .scalarValue: continue
        case .emptyInput: return true
        case .error: return false
        }
    }
}

/// How strings and numbers are written, in JSON and in messages about it.
public enum JSONText {
    /// Whether a key is this text, byte for byte: a String would also equal its other Unicode spellings.
    static func isEqual(_ key: [UInt8], _ text: StaticString) -> Bool {
        guard key.count == text.utf8CodeUnitCount else { return false }
        for place in key.indices where key[place] != text.utf8Start[place] {
            return false
        }
        return true
    }

    /// Appends without making a String of it first.
    public static func append(_ text: StaticString, to json: inout [UInt8]) {
        json.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a string of JSON. Escaped is only what has to be.
    public static func appendQuoted(_ text: [UInt8], to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        appendEscaped(text, to: &json)
        json.append(UInt8(ascii: "\""))
    }

    /// The same without the quotes around it.
    static func appendEscaped(_ text: [UInt8], to json: inout [UInt8]) {
        if text.allSatisfy(isPlain) {
            json.append(contentsOf: text)
        } else {
            for byte in text {
                appendEscaped(byte, to: &json)
            }
        }
    }

    /// Whether a byte stands for itself in a string of JSON.
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func appendEscaped(_ byte: UInt8, to json: inout [UInt8]) {
        switch byte {
        case 0x08: json += "\\b".utf8
        case 0x09: json += "\\t".utf8
        case 0x0A: json += "\\n".utf8
        case 0x0C: json += "\\f".utf8
        case 0x0D: json += "\\r".utf8
        case 0x00..<0x20: json += "\\u00\(byte < 0x10 ? "0" : "1")\(String(byte & 0x0F, radix: 16))".utf8
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
        default: json.append(byte)
        }
    }

    /// The string as error messages show it: in quotes, what cannot be seen on its own as `\u{200b}`.
    static func debugQuoted(_ text: [UInt8]) -> String {
        var result = "\""
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\0": result += "\\0"
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case _ where nono_sys_is_printable(scalar.value): result.unicodeScalars.append(scalar)
            default: result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result + "\""
    }

    /// The fewest digits that read back as this finite number: `0.00001`, `100.0` and `9999999999999998.0`, but `1e-6`
    /// and `1.5e+16`.
    static func decimal(_ value: Double) -> String {
        let (digits, point) = decimalDigits(value.magnitude)
        var text: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
        switch point {
        case -4...0:
            text += "0.".utf8
            text += repeatElement(UInt8(ascii: "0"), count: -point)
            text += digits
        case 1...16 where point < digits.count:
            text += digits[..<point]
            text.append(UInt8(ascii: "."))
            text += digits[point...]
        case 1...16:
            text += digits
            text += repeatElement(UInt8(ascii: "0"), count: point - digits.count)
            text += ".0".utf8
        default:
            text.append(digits[0])
            if digits.count > 1 {
                text.append(UInt8(ascii: "."))
                text += digits[1...]
            }
            text += "e\(point > 0 ? "+" : "")\(point - 1)".utf8
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The number as 0.DIGITS * 10^point. Swift finds the digits; its own notation changes to exponents elsewhere.
    private static func decimalDigits(_ value: Double) -> (digits: [UInt8], point: Int) {
        let description = Array(value.description.utf8)
        let mantissa = description.prefix { $0 != UInt8(ascii: "e") }
        let exponent = Int(String(decoding: description.dropFirst(mantissa.count + 1), as: UTF8.self)) ?? 0
        let whole = mantissa.prefix { $0 != UInt8(ascii: ".") }
        let digits = whole + mantissa.dropFirst(whole.count + 1)
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        let end = digits.lastIndex { $0 != UInt8(ascii: "0") } ?? -1
        // Zero has no digit that counts: 0.0 is written as one.
        return end < 0 ? ([UInt8(ascii: "0")], 1) : (Array(digits[zeros...end]), whole.count + exponent - zeros)
    }
}
