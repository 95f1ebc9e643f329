// SPDX-License-Identifier: Apache-2.0

/// Splits a platform rule into tokens.
///
/// TinyScheme has been changed over the years, and again by Apple: whether `;` or `"` ends a word, what follows a
/// backslash, how a block comment ends. Text that one reader takes for a string or a comment is code to another, so a
/// spelling on which they might differ becomes an `objection`. No rule needs one.
struct PlatformRuleLexer {
    enum Token {
        case open
        case close
        /// A symbol, number or constant. Letters are small: TinyScheme folds case.
        case word(Word)
        /// The value of a `"string"`, or of a raw `#"string"`, whose backslashes stay.
        case string(Word)
    }

    private(set) var tokens: [Token] = []
    /// What to say about the first spelling that has no certain meaning.
    private(set) var objection: String?

    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) {
        self.text = text
    }

    /// Reads the whole text into `tokens`.
    mutating func readAll() throws(NonoError) {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), .formFeed:
                position += 1
            case UInt8(ascii: "("):
                position += 1
                tokens.append(.open)
            case UInt8(ascii: ")"):
                position += 1
                tokens.append(.close)
            case UInt8(ascii: "\""):
                try readString(isRaw: false)
            case UInt8(ascii: ";"):
                skipLineComment()
            case UInt8(ascii: "#") where peek(1) == UInt8(ascii: "|"):
                try skipBlockComment()
            case UInt8(ascii: "#") where peek(1) == UInt8(ascii: "\""):
                position += 1
                try readString(isRaw: true)
            default:
                readWord()
            }
        }
    }

    /// Skips to the next line. A lone carriage return does not begin one, but might for another reader.
    private mutating func skipLineComment() {
        while let byte = peek(), byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "\r") && peek(1) != UInt8(ascii: "\n") {
                object("platform rule has a carriage return inside a comment")
            }
            position += 1
        }
    }

    /// Skips to the first `|#`. Readers disagree on whether comments nest and whether `#|#` is one; both take a `#`.
    private mutating func skipBlockComment() throws(NonoError) {
        position += 2
        while let byte = peek() {
            if byte == UInt8(ascii: "|") && peek(1) == UInt8(ascii: "#") {
                position += 2
                return
            }
            if byte == UInt8(ascii: "#") {
                object("platform rule has # inside a block comment")
            }
            position += 1
        }
        throw PlatformRule.error("platform rule has unterminated block comment")
    }

    /// Reads from one quote to the other.
    ///
    /// A backslash makes the next byte literal, except that TinyScheme gives some letters and digits a meaning, and
    /// that a raw string may know no escape at all, so that it ends at the first quote.
    private mutating func readString(isRaw: Bool) throws(NonoError) {
        var value: [UInt8] = []
        position += 1
        while var byte = peek(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") {
                position += 1
                guard let escaped = peek() else {
                    break
                }
                if isRaw ? escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") : escaped.isAlphanumeric {
                    object("platform rule must not use \\\(Character(Unicode.Scalar(escaped))) in a string")
                }
                if isRaw {
                    value.append(byte)
                }
                byte = escaped
            }
            value.append(byte)
            position += 1
        }
        guard peek() != nil else {
            throw PlatformRule.error("platform rule has unterminated string")
        }
        position += 1
        tokens.append(.string(Word(value)))
    }

    private mutating func readWord() {
        let start = position
        while let byte = peek(), !byte.endsWord {
            position += 1
        }
        let word = text[start..<position]
        // To some readers only white space other than form feed, parentheses and semicolons end a word.
        let endsForAll = peek() != UInt8(ascii: "\"") && peek() != .formFeed
        if !endsForAll || !PlatformRuleLexer.isPlain(word) {
            object("platform rule has an unsupported word: \(String(decoding: word, as: UTF8.self))")
        }
        tokens.append(.word(Word(word.map { $0.lowercased })))
    }

    /// Whether a word is the same to every reader, and no syntax: no quotation (`'` `` ` `` `,`), dotted pair (`.`),
    /// vector (`#(`), character (`#\x`), line comment (`#!`), module prefix (`::`) or name of the prelude's own (`%`).
    private static func isPlain(_ word: ArraySlice<UInt8>) -> Bool {
        // TinyScheme's buffer holds 256 bytes in some releases, and a longer word becomes two.
        guard word.count <= 128 else {
            return false
        }
        var name = word
        if word.first == UInt8(ascii: "#") {
            name = word.dropFirst()
            guard let next = name.first, next.isAlphanumeric else {
                return false
            }
        }
        return !name.elementsEqual([UInt8(ascii: ".")]) && name.allSatisfy { $0.isPlain }
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < text.count ? text[position + distance] : nil
    }

    private mutating func object(_ message: String) {
        objection = objection ?? message
    }
}

extension UInt8 {
    fileprivate static let formFeed: UInt8 = 0x0C

    fileprivate var endsWord: Bool {
        switch self {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), .formFeed: true
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\""): true
        default: false
        }
    }

    /// Whether this is an ASCII letter or digit.
    var isAlphanumeric: Bool {
        switch lowercased {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    fileprivate var lowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }

    fileprivate var isPlain: Bool {
        isAlphanumeric || self == 0 || "!$&*+-./<=>?@^_~".utf8.contains(self)
    }
}
