// SPDX-License-Identifier: Apache-2.0

/// Copies JSON without its spaces, in one form for each value: numbers and escapes as the library writes them.
///
/// What is open is kept in a list and not on the call stack, which may be small: the caller's thread is not ours.
extension JSONReader {
    /// More levels than this are an error, as they are for other readers of these reports.
    private static let maximumDepth = 127

    /// Reads any value and appends its copy.
    mutating func copyValue(to json: inout [UInt8]) throws(NonoError) {
        var open: [CopiedContainer] = []
        repeat {
            try copyScalarOrBracket(to: &json, &open)
            while let last = open.indices.last, try !open[last].readNext(from: &self, to: &json) {
                open.removeLast()
            }
        } while !open.isEmpty
    }

    private mutating func copyScalarOrBracket(
        to json: inout [UInt8], _ open: inout [CopiedContainer]
    ) throws(NonoError) {
        let byte = try startOfValue()
        switch byte {
        case UInt8(ascii: "n"):
            try literal("null")
            json += "null".utf8
        case UInt8(ascii: "t"), UInt8(ascii: "f"): try json += (bool() ? "true" : "false").utf8
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try json += number().text.utf8
        case UInt8(ascii: "\""): try JSONText.appendQuoted(string(), to: &json)
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            if open.count == JSONReader.maximumDepth {
                throw failureAtNext("recursion limit exceeded")
            }
            index += 1
            json.append(byte)
            open.append(CopiedContainer(isObject: byte == UInt8(ascii: "{"), start: json.count))
        default: throw failureAtNext("expected value")
        }
    }
}

/// A list or an object that is being copied.
private struct CopiedContainer {
    let isObject: Bool
    /// Where its copy begins, behind the bracket.
    let start: Int
    private var isEmpty = true
    /// The member that is being copied.
    private var key: [UInt8] = []
    private var memberStart = 0
    /// The copies of the members, and which of them has a key. Of values with the same key the last one counts, in the
    /// place of the first.
    private var members: [Range<Int>] = []
    private var places: [[UInt8]: Int] = [:]
    private var hasRepeatedKey = false

    init(isObject: Bool, start: Int) {
        self.isObject = isObject
        self.start = start
    }

    /// Reads and copies what precedes the next value, or the closing bracket; true for the first.
    mutating func readNext(from reader: inout JSONReader, to json: inout [UInt8]) throws(NonoError) -> Bool {
        if isObject {
            return try readKey(from: &reader, to: &json)
        }
        guard try reader.hasElement(first: isEmpty) else {
            reader.index += 1
            json.append(UInt8(ascii: "]"))
            return false
        }
        separate(&json)
        return true
    }

    private mutating func readKey(from reader: inout JSONReader, to json: inout [UInt8]) throws(NonoError) -> Bool {
        if !isEmpty {
            endMember(at: json.count)
        }
        guard let key = try reader.key(first: isEmpty) else {
            if hasRepeatedKey {
                json.replaceSubrange(start..., with: Array(members.map { json[$0] }.joined(separator: ",".utf8)))
            }
            json.append(UInt8(ascii: "}"))
            return false
        }
        separate(&json)
        self.key = key
        memberStart = json.count
        JSONText.appendQuoted(key, to: &json)
        try reader.colon()
        json.append(UInt8(ascii: ":"))
        return true
    }

    private mutating func endMember(at end: Int) {
        if let place = places[key] {
            members[place] = memberStart..<end
            hasRepeatedKey = true
        } else {
            places[key] = members.count
            members.append(memberStart..<end)
        }
    }

    private mutating func separate(_ json: inout [UInt8]) {
        if !isEmpty {
            json.append(UInt8(ascii: ","))
        }
        isEmpty = false
    }
}
