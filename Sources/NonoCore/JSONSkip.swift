// SPDX-License-Identifier: Apache-2.0

extension JSONReader {
    /// Reads a value that nobody asked for.
    ///
    /// It may be nested as deeply as its writer liked, so what is open is kept in a list and not on the call stack.
    mutating func skipValue() throws(NonoError) {
        var open: [UInt8] = []
        repeat {
            if try opensContainer(&open) {
                continue
            }
            // A value is complete: close what ends with it.
            while let bracket = open.last, try !continues(bracket) {
                open.removeLast()
            }
        } while !open.isEmpty
    }

    /// Reads a scalar, an empty container, or a container up to its first value; true for the last.
    private mutating func opensContainer(_ open: inout [UInt8]) throws(NonoError) -> Bool {
        let byte = try startOfValue()
        switch byte {
        case UInt8(ascii: "n"): try literal("null")
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber(ignored: true)
        case UInt8(ascii: "\""): _ = try string(ignored: true)
        case UInt8(ascii: "["):
            index += 1
            switch skipSpace() {
            case UInt8(ascii: "]"): index += 1
            case nil: throw failureAtNext("EOF while parsing a list")
            default:
                open.append(byte)
                return true
            }
        case UInt8(ascii: "{"):
            index += 1
            if skipSpace() == UInt8(ascii: "}") {
                index += 1
            } else {
                try skipKey()
                open.append(byte)
                return true
            }
        default: throw failureAtNext("expected value")
        }
        return false
    }

    /// Reads the comma (and key) before the next value of the container, or its closing bracket; true for the first.
    private mutating func continues(_ bracket: UInt8) throws(NonoError) -> Bool {
        let isList = bracket == UInt8(ascii: "[")
        let byte = skipSpace()
        if byte == UInt8(ascii: ",") {
            index += 1
            if !isList {
                try skipKey()
            }
            return true
        }
        if byte == UInt8(ascii: isList ? "]" : "}") {
            index += 1
            return false
        }
        guard byte != nil else {
            throw failureAtNext(isList ? "EOF while parsing a list" : "EOF while parsing an object")
        }
        throw failureAtNext(isList ? "expected `,` or `]`" : "expected `,` or `}`")
    }

    private mutating func skipKey() throws(NonoError) {
        switch skipSpace() {
        case UInt8(ascii: "\""): _ = try string(ignored: true)
        case nil: throw failureAtNext("EOF while parsing an object")
        default: throw failureAtNext("key must be a string")
        }
        try colon()
    }
}
