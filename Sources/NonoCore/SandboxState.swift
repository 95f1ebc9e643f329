// SPDX-License-Identifier: Apache-2.0

/// A set of capabilities as it is saved: texts that nobody has checked yet.
///
/// The JSON form is the one all versions of the library share. Commands and platform rules, which older ones lost, are
/// fields of their own that are written only when there are any, so what an older version can express reads the same.
public struct SandboxState: Equatable, Sendable {
    /// One grant. Most paths resolve to themselves and nearly all texts of access are known, so that an entry seldom
    /// holds more than one text.
    public struct Entry: Equatable, Sendable {
        /// What `access` says.
        public enum Access: Equatable, Sendable {
            case mode(AccessMode)
            /// After reading, any text; never that of a mode.
            case unknown([UInt8])
        }

        /// The path as the caller gave it.
        public let original: [UInt8]
        /// The path it led to, unless that is `original`.
        private let other: [UInt8]?
        public let access: Access
        public let isFile: Bool

        public init(original: [UInt8], resolved: [UInt8], access: Access, isFile: Bool) {
            self.original = original
            self.other = resolved == original ? nil : resolved
            self.access = access
            self.isFile = isFile
        }

        /// The path it led to.
        public var resolved: [UInt8] { other ?? original }
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
                    entries.append(try Entry(from: &reader))
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
        var original: [UInt8]?
        var resolved: [UInt8] = []
        var access = Access.unknown([])
        var isFile = false
        try reader.structure { (reader, field: EntryField) throws(NonoError) in
            switch field {
            case .original: original = try reader.string(expected: "path string")
            case .resolved: resolved = try reader.path(sharing: original)
            case .access: access = try reader.access()
            case .isFile: isFile = try reader.bool()
            }
        }
        self.init(original: original ?? [], resolved: resolved, access: access, isFile: isFile)
    }
}

extension JSONReader {
    /// Reads a path; `other` itself if it is that.
    fileprivate mutating func path(sharing other: [UInt8]?) throws(NonoError) -> [UInt8] {
        if let other, try startOfValue() == UInt8(ascii: "\""), skip(quoted: other) {
            return other
        }
        return try string(expected: "path string")
    }

    fileprivate mutating func access() throws(NonoError) -> SandboxState.Entry.Access {
        if try startOfValue() == UInt8(ascii: "\"") {
            for mode in AccessMode.allCases where skip(quoted: mode.name) {
                return .mode(mode)
            }
        }
        let text = try string(expected: "a string")
        return AccessMode(text: text).map { .mode($0) } ?? .unknown(text)
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
    /// Gives `body` the state as JSON, indented by two spaces. JSON is UTF-8, so paths that are not cannot be saved.
    public func withJSON<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) throws(NonoError) -> Result {
        // What an entry takes besides its paths is less than this, unless something in it is escaped.
        var json = JSONWriter(
            capacity: entries.withUnsafeBufferPointer { entries in
                var capacity = 1024
                for place in entries.indices {
                    capacity += entries[place].original.count + entries[place].resolved.count + 128
                }
                return capacity
            })
        json.append("{\n  \"fs\": ")
        try SandboxState.append(list: entries, to: &json) { entry, json throws(NonoError) in
            try entry.append(to: &json)
        }
        json.append(",\n  \"net_blocked\": ")
        json.append(networkBlocked ? "true" : "false")
        if unixSocketsBlocked {
            json.append(",\n  \"unix_sockets_blocked\": true")
        }
        try SandboxState.append(field: ",\n  \"allowed_commands\": ", allowedCommands, to: &json)
        try SandboxState.append(field: ",\n  \"blocked_commands\": ", blockedCommands, to: &json)
        try SandboxState.append(field: ",\n  \"platform_rules\": ", platformRules, to: &json)
        json.append("\n}")
        return body(json.bytes)
    }

    private static func append(
        field: StaticString, _ texts: [[UInt8]], to json: inout JSONWriter
    ) throws(NonoError) {
        if texts.isEmpty {
            return
        }
        json.append(field)
        try append(list: texts, to: &json) { text, json throws(NonoError) in
            try append(text: text, what: "text", to: &json)
        }
    }

    /// Appends a list that is the value of a field of the outermost object.
    private static func append<Element>(
        list: [Element], to json: inout JSONWriter,
        element: (borrowing Element, inout JSONWriter) throws(NonoError) -> Void
    ) throws(NonoError) {
        json.append("[")
        try list.withUnsafeBufferPointer { list throws(NonoError) in
            for place in list.indices {
                json.append(place == 0 ? "\n    " : ",\n    ")
                try element(list[place], &json)
            }
        }
        json.append(list.isEmpty ? "]" : "\n  ]")
    }

    fileprivate static func append(
        text: borrowing [UInt8], what: StaticString, to json: inout JSONWriter
    ) throws(NonoError) {
        let isUTF8 = text.withUnsafeBufferPointer { json.appendQuoted($0) }
        guard isUTF8 else {
            throw NonoError(
                .configParse,
                "Configuration parse error: Failed to serialize sandbox state: "
                    + "\(what) contains invalid UTF-8 characters",
                diagnostic: .configurationError)
        }
    }
}

extension SandboxState.Entry {
    fileprivate borrowing func append(to json: inout JSONWriter) throws(NonoError) {
        json.append("{\n      \"original\": ")
        let start = json.count
        try SandboxState.append(text: original, what: "path", to: &json)
        let end = json.count
        json.append(",\n      \"resolved\": ")
        if let other {
            try SandboxState.append(text: other, what: "path", to: &json)
        } else {
            json.append(again: start..<end)
        }
        json.append(",\n      \"access\": ")
        switch access {
        case .mode(let mode):
            json.append("\"")
            json.append(mode.name)
            json.append("\"")
        case .unknown(let text): try SandboxState.append(text: text, what: "text", to: &json)
        }
        json.append(",\n      \"is_file\": ")
        json.append(isFile ? "true\n    }" : "false\n    }")
    }
}
