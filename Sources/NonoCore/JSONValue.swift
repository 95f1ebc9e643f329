// SPDX-License-Identifier: Apache-2.0

/// Any JSON, to be written out again without its spaces.
enum JSONValue {
    case null
    case bool(Bool)
    case number(String)
    case string([UInt8])
    case list([JSONValue])
    case object([(key: [UInt8], value: JSONValue)])

    /// Appends the value in its shortest form.
    func append(to json: inout [UInt8]) {
        switch self {
        case .null: json += "null".utf8
        case .bool(let value): json += (value ? "true" : "false").utf8
        case .number(let text): json += text.utf8
        case .string(let text): JSONText.appendQuoted(text, to: &json)
        case .list(let values):
            json.append(UInt8(ascii: "["))
            for (position, value) in values.enumerated() {
                if position > 0 {
                    json.append(UInt8(ascii: ","))
                }
                value.append(to: &json)
            }
            json.append(UInt8(ascii: "]"))
        case .object(let members):
            json.append(UInt8(ascii: "{"))
            for (position, member) in members.enumerated() {
                if position > 0 {
                    json.append(UInt8(ascii: ","))
                }
                JSONText.appendQuoted(member.key, to: &json)
                json.append(UInt8(ascii: ":"))
                member.value.append(to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONReader {
    /// Values are read, written and released by functions that call themselves once a level, so levels are limited.
    private static let maximumDepth = 127

    /// Reads any value, `depth` being the number of containers it is in.
    mutating func value(depth: Int = 0) throws(NonoError) -> JSONValue {
        switch try startOfValue() {
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return try .bool(bool())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try .number(number().text)
        case UInt8(ascii: "\""): return try .string(string())
        case UInt8(ascii: "["):
            try checkDepth(depth)
            return try .list(values(depth: depth))
        case UInt8(ascii: "{"):
            try checkDepth(depth)
            return try .object(members(depth: depth))
        default: throw failureAtNext("expected value")
        }
    }

    /// Reads a list of any values.
    mutating func values(depth: Int = 0) throws(NonoError) -> [JSONValue] {
        var values: [JSONValue] = []
        try sequence { reader throws(NonoError) in
            try values.append(reader.value(depth: depth + 1))
        }
        return values
    }

    /// Reads an object, its bracket being the next byte. Of values with the same key the last one counts, in the place
    /// of the first.
    private mutating func members(depth: Int) throws(NonoError) -> [(key: [UInt8], value: JSONValue)] {
        index += 1
        var members: [(key: [UInt8], value: JSONValue)] = []
        var places: [[UInt8]: Int] = [:]
        var isFirst = true
        while let key = try key(first: isFirst) {
            isFirst = false
            try colon()
            let value = try value(depth: depth + 1)
            if let place = places[key] {
                members[place].value = value
            } else {
                places[key] = members.count
                members.append((key, value))
            }
        }
        return members
    }

    private func checkDepth(_ depth: Int) throws(NonoError) {
        if depth >= JSONReader.maximumDepth {
            throw failureAtNext("recursion limit exceeded")
        }
    }
}
