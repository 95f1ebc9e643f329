// SPDX-License-Identifier: Apache-2.0

/// One element of a profile, as a reader sees it that has nothing in common with the code that writes profiles.
indirect enum SExpression: Equatable, Sendable {
    case list([SExpression])
    case symbol([UInt8])
    case string([UInt8])
    /// `#"..."`, in which a backslash is a backslash.
    case raw([UInt8])

    struct SyntaxError: Error, Equatable {
        let what: String
        let position: Int
    }

    /// Reads all expressions of a text, with what Scheme has: lists, strings with backslashes, symbols, comments of both
    /// kinds.
    static func readAll(_ text: [UInt8]) throws(SyntaxError) -> [SExpression] {
        var reader = Reader(text: text)
        return try reader.list(isNested: false)
    }

    private struct Reader {
        let text: [UInt8]
        var at = 0

        func failure(_ what: String) -> SyntaxError {
            SyntaxError(what: what, position: at)
        }

        mutating func list(isNested: Bool) throws(SyntaxError) -> [SExpression] {
            var elements: [SExpression] = []
            while at < text.count {
                switch text[at] {
                case 0x20, 0x09, 0x0A, 0x0D:
                    at += 1
                case UInt8(ascii: ";"):
                    at = text[at...].firstIndex(of: 0x0A) ?? text.count
                case UInt8(ascii: "#") where text[at...].starts(with: "#|".utf8):
                    try skipBlockComment()
                case UInt8(ascii: "("):
                    at += 1
                    elements.append(.list(try list(isNested: true)))
                case UInt8(ascii: ")"):
                    guard isNested else { throw failure("a list ends that did not begin") }
                    at += 1
                    return elements
                case UInt8(ascii: "\""):
                    elements.append(.string(try string(isRaw: false)))
                case UInt8(ascii: "#") where text[at...].starts(with: "#\"".utf8):
                    at += 1
                    elements.append(.raw(try string(isRaw: true)))
                default:
                    elements.append(.symbol(symbol()))
                }
            }
            guard !isNested else { throw failure("a list does not end") }
            return elements
        }

        mutating func skipBlockComment() throws(SyntaxError) {
            at += 2
            while !text[at...].starts(with: "|#".utf8) {
                guard at < text.count else { throw failure("a comment does not end") }
                at += 1
            }
            at += 2
        }

        mutating func string(isRaw: Bool) throws(SyntaxError) -> [UInt8] {
            var value: [UInt8] = []
            at += 1
            while at < text.count, text[at] != UInt8(ascii: "\"") {
                if text[at] == UInt8(ascii: "\\") && !isRaw {
                    at += 1
                    // Of a letter or a digit an escape makes something else, to some readers.
                    guard at < text.count, !Unicode.Scalar(text[at]).properties.isAlphabetic, text[at] >= 0x20,
                        Unicode.Scalar(text[at]).properties.numericType == nil
                    else {
                        throw failure("an escape that readers understand in different ways")
                    }
                }
                value.append(text[at])
                at += 1
            }
            guard at < text.count else { throw failure("a string does not end") }
            at += 1
            return value
        }

        mutating func symbol() -> [UInt8] {
            let start = at
            while at < text.count, !" \t\n\r()\";".utf8.contains(text[at]) {
                at += 1
            }
            return Array(text[start..<at])
        }
    }
}

extension SExpression: CustomStringConvertible, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// A symbol, written as a literal.
    init(stringLiteral text: String) {
        self = .symbol(Array(text.utf8))
    }

    init(arrayLiteral elements: SExpression...) {
        self = .list(elements)
    }

    static func string(_ text: String) -> SExpression {
        .string(Array(text.utf8))
    }

    var description: String {
        switch self {
        case .list(let elements): "(" + elements.map { "\($0)" }.joined(separator: " ") + ")"
        case .symbol(let text): String(decoding: text, as: UTF8.self)
        case .string(let text): "\"\(String(decoding: text, as: UTF8.self))\""
        case .raw(let text): "#\"\(String(decoding: text, as: UTF8.self))\""
        }
    }
}
