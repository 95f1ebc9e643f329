// SPDX-License-Identifier: Apache-2.0

/// How strings and numbers are written, in JSON and in messages about it.
enum JSONText {
    static func isUTF8(_ bytes: [UInt8]) -> Bool {
        if bytes.allSatisfy({ $0 < 0x80 }) {
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

    /// Appends a string of JSON. Escaped is only what has to be.
    static func appendQuoted(_ text: some Sequence<UInt8>, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
            case 0x08: json += "\\b".utf8
            case 0x09: json += "\\t".utf8
            case 0x0A: json += "\\n".utf8
            case 0x0C: json += "\\f".utf8
            case 0x0D: json += "\\r".utf8
            case 0x00..<0x20: json += "\\u00\(byte < 0x10 ? "0" : "1")\(String(byte & 0x0F, radix: 16))".utf8
            default: json.append(byte)
            }
        }
        json.append(UInt8(ascii: "\""))
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
            case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
            default: result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result + "\""
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return (0x20..<0x7F).contains(scalar.value)
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned: return false
        case .spaceSeparator, .lineSeparator, .paragraphSeparator: return false
        default: return !scalar.properties.isGraphemeExtend
        }
    }

    /// The fewest digits that read back as this finite number: `0.00001`, `100.0` and `9999999999999998.0`, but `1e-6`
    /// and `1.5e+16`.
    static func decimal(_ value: Double) -> String {
        // Swift finds the digits, and changes to an exponent elsewhere. They become 0.DIGITS * 10^point.
        var digits: [UInt8] = []
        var point = 0
        let parts = value.magnitude.description.utf8.split(separator: UInt8(ascii: "e"))
        for byte in parts[0] {
            if byte == UInt8(ascii: ".") {
                point = digits.count
            } else {
                digits.append(byte)
            }
        }
        if !parts[0].contains(UInt8(ascii: ".")) {
            point = digits.count
        }
        if parts.count > 1 {
            point += Int(String(decoding: parts[1], as: UTF8.self)) ?? 0
        }
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(zeros)
        point -= zeros
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
        }
        let sign = value.sign == .minus ? "-" : ""
        return sign + (digits.isEmpty ? "0.0" : decimal(digits: digits, point: point))
    }

    private static func decimal(digits: [UInt8], point: Int) -> String {
        func text(_ digits: ArraySlice<UInt8>) -> String {
            String(decoding: digits, as: UTF8.self)
        }
        func zeros(_ count: Int) -> String {
            String(repeating: "0", count: count)
        }
        switch point {
        case -4...0:
            return "0." + zeros(-point) + text(digits[...])
        case 1...16:
            if point >= digits.count {
                return text(digits[...]) + zeros(point - digits.count) + ".0"
            }
            return text(digits[..<point]) + "." + text(digits[point...])
        default:
            let fraction = digits.count > 1 ? "." + text(digits[1...]) : ""
            return text(digits[..<1]) + fraction + "e" + (point > 0 ? "+" : "") + "\(point - 1)"
        }
    }
}
