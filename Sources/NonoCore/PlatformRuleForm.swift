// SPDX-License-Identifier: Apache-2.0

/// What is known about one list of a platform rule, gathered as its elements go by.
struct PlatformRuleForm {
    enum Kind {
        /// Nothing read yet.
        case empty
        case allow
        case deny
        /// A modifier, as in `(with report)`.
        case with
        /// A filter on paths, as in `(subpath "/opt")`.
        case path
        case regex
        case requireAny
        case requireAll
        case other

        init(head: Word) {
            switch head {
            case "allow": self = .allow
            case "deny": self = .deny
            case "with": self = .with
            case "subpath", "literal", "prefix": self = .path
            case "regex": self = .regex
            case "require-any": self = .requireAny
            case "require-all": self = .requireAll
            default: self = .other
            }
        }
    }

    var kind: Kind
    /// How many elements follow the head; in an `allow` form, how many filters.
    private(set) var arguments = 0
    private var narrowArguments = 0

    /// Of an `allow` form: what it grants if its filters let it.
    private(set) var hasOperation = false
    private(set) var grantsEverything = false
    private(set) var grantsRead = false
    private(set) var grantsWrite = false
    private(set) var needsFilter = false

    init(kind: Kind) {
        self.kind = kind
    }

    /// Filters stand side by side for "any of these", so one wide filter spoils the rest.
    var hasOnlyNarrowFilters: Bool {
        arguments > 0 && narrowArguments == arguments
    }

    /// Whether the form is a filter which surely leaves out most of the file system.
    private var isNarrow: Bool {
        switch kind {
        case .path, .regex, .requireAny: hasOnlyNarrowFilters
        case .requireAll: narrowArguments > 0
        case .empty, .allow, .deny, .with, .other: false
        }
    }

    /// Notes that a list begins, which if it is the first element cannot be a head.
    mutating func startsWithList() {
        if kind == .empty {
            kind = .other
        }
    }

    /// Adds a list that ended.
    mutating func add(_ form: PlatformRuleForm) {
        if form.kind != .with {
            add(argument: form.isNarrow)
        }
    }

    /// Adds a string, or a word other than the head. They count alike: a filter on `/` is no narrower than on `"/"`.
    mutating func add(atom: Word) {
        switch kind {
        case .empty:
            kind = .other
        case .allow:
            add(operation: PlatformRuleOperation(atom))
        case .path:
            add(argument: PlatformRulePattern.isNarrow(path: atom))
        case .regex:
            add(argument: PlatformRulePattern.isNarrow(regex: atom.bytes))
        case .deny, .with, .requireAny, .requireAll, .other:
            add(argument: false)
        }
    }

    private mutating func add(argument isNarrow: Bool) {
        arguments += 1
        narrowArguments += isNarrow ? 1 : 0
    }

    private mutating func add(operation: PlatformRuleOperation) {
        hasOperation = true
        switch operation {
        case .everything: grantsEverything = true
        case .readsFiles: grantsRead = true
        case .writesFiles: grantsWrite = true
        case .reachesFar: needsFilter = true
        case .harmless: break
        }
    }
}

/// What it would mean to allow an operation of SBPL without a filter.
enum PlatformRuleOperation {
    case everything
    case readsFiles
    case writesFiles
    /// The network, or a group of operations.
    case reachesFar
    case harmless

    init(_ name: Word) {
        if name == "default" || name == "*" {
            self = .everything
        } else if name.hasPrefix("file-write") {
            self = .writesFiles
        } else if name.hasPrefix("file") {
            self = .readsFiles
        } else if name.hasPrefix("network") {
            self = .reachesFar
        } else if name.hasSuffix("*") && name != "process-exec*" {  // This one is part of every profile.
            self = .reachesFar
        } else {
            self = .harmless
        }
    }
}

/// Whether what a filter matches surely lies below some directory other than the root.
enum PlatformRulePattern {
    /// Whether an absolute path names more than the root.
    ///
    /// `..` is refused, because behind a link it can lead anywhere; `$` because `${HOME}` may be replaced, and a
    /// backslash because a raw string may be read with escapes.
    static func isNarrow(path text: Word) -> Bool {
        let path = Path(text.bytes)
        guard path.isAbsolute, !text.bytes.contains(UInt8(ascii: "$")), !text.bytes.contains(UInt8(ascii: "\\")) else {
            return false
        }
        var names = 0
        var climbs = false
        path.forEachComponent { component in
            if component.elementsEqual("..".utf8) {
                climbs = true
            } else if !component.elementsEqual(".".utf8) {
                names += 1
            }
        }
        return names > 0 && !climbs
    }

    /// Whether a regular expression has `^/` and one more literal character in front, and no alternative to that.
    static func isNarrow(regex: [UInt8]) -> Bool {
        guard regex.count > 2, regex.starts(with: "^/".utf8), !regex.contains(UInt8(ascii: "|")) else {
            return false
        }
        // Nothing that could make the character optional may follow, so neither may a backslash (`\?`).
        return isLiteral(regex[2]) && (regex.count == 3 || isLiteral(regex[3]) || "/.[($".utf8.contains(regex[3]))
    }

    private static func isLiteral(_ byte: UInt8) -> Bool {
        byte.isAlphanumeric || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}
