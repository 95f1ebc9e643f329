// SPDX-License-Identifier: Apache-2.0

/// What a grant allows. Raw values are those of `NONO_ACCESS_MODE_*` in nono.h.
public enum AccessMode: UInt32, CaseIterable, Sendable {
    case read = 0
    case write = 1
    case readWrite = 2

    /// The text used in saved states, summaries and answers.
    public var text: String { "\(name)" }

    /// The same, for those who copy it without making a string of it.
    public var name: StaticString {
        switch self {
        case .read: "read"
        case .write: "write"
        case .readWrite: "read+write"
        }
    }

    /// The name used in remedies and reports.
    var remedyName: StaticString {
        switch self {
        case .read: "Read"
        case .write: "Write"
        case .readWrite: "ReadWrite"
        }
    }

    /// The mode with this text, compared byte by byte.
    public init?(text: [UInt8]) {
        if text == Array("read".utf8) {
            self = .read
        } else if text == Array("write".utf8) {
            self = .write
        } else if text == Array("read+write".utf8) {
            self = .readWrite
        } else {
            return nil
        }
    }

    /// What the two modes allow together.
    public func union(_ other: AccessMode) -> AccessMode {
        self == other ? self : .readWrite
    }

    /// What is left of this mode when `other` is allowed already; nil if nothing is.
    public func subtracting(_ other: AccessMode?) -> AccessMode? {
        guard let other else { return self }
        if other.includes(self) {
            return nil
        }
        return self == .readWrite ? (other == .read ? .write : .read) : self
    }

    /// Whether everything that `other` allows is allowed by this mode too.
    public func includes(_ other: AccessMode) -> Bool {
        self == .readWrite || self == other
    }
}
