// SPDX-License-Identifier: Apache-2.0

/// A set of capabilities as it is saved: texts that nobody has checked yet.
///
/// The JSON form is the one all versions of the library share. Commands and platform rules, which older ones lost, are
/// fields of their own that are written only when there are any, so what an older version can express reads the same.
public struct SandboxState: Equatable, Sendable {
    /// One grant.
    public struct Entry: Equatable, Sendable {
        /// The path as the caller gave it.
        public var original: [UInt8]
        /// The path it led to.
        public var resolved: [UInt8]
        /// `read`, `write` or `read+write`; after reading, any text.
        public var access: [UInt8]
        public var isFile: Bool

        public init(original: [UInt8], resolved: [UInt8], access: [UInt8], isFile: Bool) {
            self.original = original
            self.resolved = resolved
            self.access = access
            self.isFile = isFile
        }
    }

    public var entries: [Entry] = []
    public var networkBlocked = false
    public var unixSocketsBlocked = false
    public var allowedCommands: [[UInt8]] = []
    public var blockedCommands: [[UInt8]] = []
    public var platformRules: [[UInt8]] = []

    public init() {}
}

private enum StateField: Int, JSONField {
    case entries
    case networkBlocked
    case unixSocketsBlocked
    case allowedCommands
    case blockedCommands
    case platformRules

    static var structure: StaticString { "SandboxState" }
    var isRequired: Bool { self == .entries || self == .networkBlocked }

    var key: StaticString {
        switch self {
        case .entries: "fs"
        case .networkBlocked: "net_blocked"
        case .unixSocketsBlocked: "unix_sockets_blocked"
        case .allowedCommands: "allowed_commands"
        case .blockedCommands: "blocked_commands"
        case .platformRules: "platform_rules"
        }
    }
}

private enum EntryField: Int, JSONField {
    case original
    case resolved
    case access
    case isFile

    static var structure: StaticString { "FsCapState" }
    var isRequired: Bool { true }

    var key: StaticString {
        switch self {
        case .original: "original"
        case .resolved: "resolved"
        case .access: "access"
        case .isFile: "is_file"
        }
    }
}

// MARK: Reading

extension SandboxState {
    /// Reads a saved state. Values are kept as they are; turning them into capabilities checks them.
    public init(json: [UInt8]) throws(NonoError) {
        self.init()
        var reader = JSONReader(json, context: "Invalid JSON: ")
        try reader.structure { (reader, field: StateField) throws(NonoError) in
            switch field {
            case .entries:
                try reader.sequence { reader throws(NonoError) in
                    var entry = try Entry(from: &reader)
                    // Equal texts are kept once: most paths resolve to themselves, and there are few modes.
                    if entry.resolved == entry.original {
                        entry.resolved = entry.original
                    }
                    if let last = entries.last, entry.access == last.access {
                        entry.access = last.access
                    }
                    entries.append(entry)
                }
            case .networkBlocked: networkBlocked = try reader.bool()
            case .unixSocketsBlocked: unixSocketsBlocked = try reader.bool()
            case .allowedCommands: allowedCommands = try reader.strings()
            case .blockedCommands: blockedCommands = try reader.strings()
            case .platformRules: platformRules = try reader.strings()
            }
        }
        try reader.end()
    }
}

extension SandboxState.Entry {
    fileprivate init(from reader: inout JSONReader) throws(NonoError) {
        self.init(original: [], resolved: [], access: [], isFile: false)
        try reader.structure { (reader, field: EntryField) throws(NonoError) in
            switch field {
            case .original: original = try reader.string(expected: "path string")
            case .resolved: resolved = try reader.string(expected: "path string")
            case .access: access = try reader.string(expected: "a string")
            case .isFile: isFile = try reader.bool()
            }
        }
    }
}

extension JSONReader {
    fileprivate mutating func strings() throws(NonoError) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        try sequence { reader throws(NonoError) in
            try strings.append(reader.string(expected: "a string"))
        }
        return strings
    }
}

// MARK: Writing

extension SandboxState {
    /// The state as JSON, indented by two spaces. JSON is UTF-8, so paths that are not cannot be saved.
    public func json() throws(NonoError) -> [UInt8] {
        var json: [UInt8] = []
        // What an entry takes besides its paths is less than this, unless something in it is escaped.
        json.reserveCapacity(entries.reduce(1024) { $0 + $1.original.count + $1.resolved.count + 128 })
        json += "{\n  \"fs\": ".utf8
        try SandboxState.append(list: entries, to: &json) { entry, json throws(NonoError) in
            try entry.append(to: &json)
        }
        json += ",\n  \"net_blocked\": \(networkBlocked)".utf8
        if unixSocketsBlocked {
            json += ",\n  \"\(StateField.unixSocketsBlocked.key)\": true".utf8
        }
        let lists: [(field: StateField, texts: [[UInt8]])] = [
            (.allowedCommands, allowedCommands), (.blockedCommands, blockedCommands), (.platformRules, platformRules),
        ]
        for (field, texts) in lists where !texts.isEmpty {
            json += ",\n  \"\(field.key)\": ".utf8
            try SandboxState.append(list: texts, to: &json) { text, json throws(NonoError) in
                try SandboxState.append(text: text, what: "text", to: &json)
            }
        }
        json += "\n}".utf8
        return json
    }

    /// Appends a list that is the value of a field of the outermost object.
    private static func append<Element>(
        list: [Element], to json: inout [UInt8], element: (Element, inout [UInt8]) throws(NonoError) -> Void
    ) throws(NonoError) {
        json.append(UInt8(ascii: "["))
        for (position, value) in list.enumerated() {
            JSONText.append(position == 0 ? "\n    " : ",\n    ", to: &json)
            try element(value, &json)
        }
        json += (list.isEmpty ? "]" : "\n  ]").utf8
    }

    fileprivate static func append(text: [UInt8], what: String, to json: inout [UInt8]) throws(NonoError) {
        guard isUTF8(text) else {
            throw NonoError(
                .configParse,
                "Configuration parse error: Failed to serialize sandbox state: "
                    + "\(what) contains invalid UTF-8 characters",
                diagnostic: .configurationError)
        }
        JSONText.appendQuoted(text, to: &json)
    }
}

extension SandboxState.Entry {
    fileprivate func append(to json: inout [UInt8]) throws(NonoError) {
        JSONText.append("{\n      \"original\": ", to: &json)
        try SandboxState.append(text: original, what: "path", to: &json)
        JSONText.append(",\n      \"resolved\": ", to: &json)
        try SandboxState.append(text: resolved, what: "path", to: &json)
        JSONText.append(",\n      \"access\": ", to: &json)
        try SandboxState.append(text: access, what: "text", to: &json)
        JSONText.append(",\n      \"is_file\": ", to: &json)
        JSONText.append(isFile ? "true\n    }" : "false\n    }", to: &json)
    }
}
