// SPDX-License-Identifier: Apache-2.0

/// Finds absolute paths in a line that a program wrote for people: quoted ones, and plain ones, which end where the
/// punctuation of messages begins. What is relative, part of a word or of a URL is no path here.
struct MessagePaths {
    private let text: [UInt8]
    private var place = 0
    /// How many colons there were so far, outside of paths: `bash: line 1: /a` has its path in part 2.
    private var part = 0

    init(_ line: [UInt8], _ range: Range<Int>) {
        text = Array(line[range])
    }

    /// The first path of the last part that has one: what stands before it names the program and its script.
    mutating func inLastPart() -> [UInt8]? {
        var last: (path: [UInt8], part: Int)?
        while let found = next() {
            if found.part != last?.part {
                last = found
            }
        }
        return last?.path
    }

    /// The next path, and in which part it is.
    mutating func next() -> (path: [UInt8], part: Int)? {
        while place < text.count {
            let here = part
            if let path = readQuoted() ?? readPlain() {
                if path.isEmpty || MessagePaths.hasControls(path) {
                    continue
                }
                return (path, here)
            }
            if text[place] == UInt8(ascii: ":") {
                part += 1
            }
            place += 1
        }
        return nil
    }

    /// Reads a path in quotes; nil if there is none here.
    private mutating func readQuoted() -> [UInt8]? {
        guard let quote = Quote(in: text, at: place), startsPath(at: place + quote.length),
            let end = quote.end(in: text, from: place + quote.length)
        else { return nil }
        let start = place + quote.length
        place = end + quote.length
        return Array(text[start..<end])
    }

    /// Reads a path without quotes; nil if there is none here.
    private mutating func readPlain() -> [UInt8]? {
        guard startsPath(at: place), place == 0 || !joinsWords(text[place - 1]) else { return nil }
        if place > 1 && text[place - 1] == UInt8(ascii: ":") && startsPath(at: place + 1) {
            // A URL; without a host, as in `unix:///run/x`, it is that of a path.
            guard startsPath(at: place + 2) else {
                while place < text.count && text[place] != UInt8(ascii: " ") {
                    place += 1
                }
                return []
            }
            place += 2
        }
        let start = place
        while place < text.count && !endsPlain(from: start) {
            place += 1
        }
        var end = place
        if hasPath(afterSpaceAt: end) && end - start > 3 && text[end - 1] == UInt8(ascii: "o")
            && text[end - 2] == UInt8(ascii: "t") && text[end - 3] == UInt8(ascii: " ")
        {
            end -= 3
        }
        while text[end - 1] == UInt8(ascii: " ") || text[end - 1] == UInt8(ascii: "\r") {
            end -= 1
        }
        return Array(text[start..<end])
    }

    /// Whether `/` or `~/` is here, with no space behind it: that would be a word like any other.
    private func startsPath(at place: Int) -> Bool {
        guard place < text.count else { return false }
        if text[place] == Path.slash {
            return place + 1 == text.count || text[place + 1] != UInt8(ascii: " ")
        }
        return text[place] == UInt8(ascii: "~") && place + 1 < text.count && text[place + 1] == Path.slash
    }

    private func endsPlain(from start: Int) -> Bool {
        switch text[place] {
        case UInt8(ascii: ":"), UInt8(ascii: ">"): return true
        case UInt8(ascii: ")"): return !has(UInt8(ascii: "("), from: start)
        case UInt8(ascii: "]"): return !has(UInt8(ascii: "["), from: start)
        case UInt8(ascii: "}"): return !has(UInt8(ascii: "{"), from: start)
        case UInt8(ascii: ","), UInt8(ascii: ";"): return place + 1 < text.count && text[place + 1] == UInt8(ascii: " ")
        case UInt8(ascii: " "):
            return hasPunctuation(at: place + 1) || hasPath(afterSpaceAt: place)
                || Alternatives(" for reading| for writing").length(in: text, at: place) != nil
        default: return Quote.isAny(in: text, at: place)
        }
    }

    private func has(_ byte: UInt8, from start: Int) -> Bool {
        for index in start..<place where text[index] == byte {
            return true
        }
        return false
    }

    /// Whether something begins here that is no part of a name: `(`, `[`, `<`, a quote, `-` or `->` as a word.
    private func hasPunctuation(at place: Int) -> Bool {
        guard place < text.count else { return false }
        switch text[place] {
        case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "<"): return true
        case UInt8(ascii: "-"):
            return place + 1 == text.count || text[place + 1] == UInt8(ascii: " ")
                || text[place + 1] == UInt8(ascii: ">")
        default: return Quote.isAny(in: text, at: place)
        }
    }

    private func hasPath(afterSpaceAt place: Int) -> Bool {
        place < text.count && text[place] == UInt8(ascii: " ") && startsPath(at: place + 1)
    }

    /// Whether a `/` behind this byte belongs to the same word.
    private func joinsWords(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...0xFF, UInt8(ascii: "."), UInt8(ascii: "~"),
            UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"), UInt8(ascii: "}"), Path.slash:
            true
        default: false
        }
    }

    /// Whether there are control characters, also those of two bytes: no message shows such a name as it is.
    static func hasControls(_ path: [UInt8]) -> Bool {
        for place in path.indices {
            let byte = path[place]
            if byte < 0x20 || byte == 0x7F
                || (byte == 0xC2 && place + 1 < path.count && (0x80..<0xA0).contains(path[place + 1]))
            {
                return true
            }
        }
        return false
    }
}

/// A quotation mark of messages: `'a'`, `"a"`, `` `a` ``, `` `a' ``, and the typographic ones of UTF-8 locales.
struct Quote {
    let length: Int
    private let opening: UInt8

    init?(in text: [UInt8], at place: Int) {
        guard Quote.isAny(in: text, at: place) else { return nil }
        length = text[place] < 0x80 ? 1 : 3
        opening = text[place + length - 1]
    }

    /// Whether one is here, an opening or a closing one.
    static func isAny(in text: [UInt8], at place: Int) -> Bool {
        switch text[place] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): return true
        case 0xE2:
            // U+2018, U+2019, U+201C, U+201D
            return place + 2 < text.count && text[place + 1] == 0x80
                && (text[place + 2] & ~1 == 0x98 || text[place + 2] & ~1 == 0x9C)
        default: return false
        }
    }

    /// Where the closing one begins.
    func end(in text: [UInt8], from start: Int) -> Int? {
        var place = start
        while place + length <= text.count {
            if Quote.isAny(in: text, at: place) && (text[place] < 0x80) == (length == 1)
                && closes(text[place + length - 1])
            {
                return place
            }
            place += 1
        }
        return nil
    }

    private func closes(_ byte: UInt8) -> Bool {
        if length == 3 {
            return byte == opening | 1
        }
        return byte == opening || (opening == UInt8(ascii: "`") && byte == UInt8(ascii: "'"))
    }
}
