// SPDX-License-Identifier: Apache-2.0

/// A short text that is compared byte by byte. Comparing two `String`s takes the tables of Unicode, a tenth of the
/// library.
struct Word: Equatable, Sendable, ExpressibleByStringLiteral {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(stringLiteral text: StaticString) {
        bytes = [UInt8](UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The text for people.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    func hasPrefix(_ prefix: Word) -> Bool {
        bytes.count >= prefix.bytes.count && [UInt8](bytes.prefix(prefix.bytes.count)) == prefix.bytes
    }

    func hasSuffix(_ suffix: Word) -> Bool {
        bytes.count >= suffix.bytes.count && [UInt8](bytes.suffix(suffix.bytes.count)) == suffix.bytes
    }
}
