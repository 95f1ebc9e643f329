// SPDX-License-Identifier: Apache-2.0

/// The fields of a structure that is read from JSON, in the order of its array form, the required ones first.
protocol JSONField: RawRepresentable<Int>, CaseIterable, Equatable, Sendable {
    /// The name of the structure in error messages.
    static var structure: StaticString { get }
    /// The key in the object form.
    var key: StaticString { get }
    /// Whether the field has to be there. The others are part of the object form only.
    var isRequired: Bool { get }
}

extension JSONReader {
    /// Reads a structure, each of its fields with `read`: an object with these fields, of which unknown ones are
    /// skipped, or an array of the required values.
    mutating func structure<Field: JSONField>(
        read: (inout JSONReader, Field) throws(NonoError) -> Void
    ) throws(NonoError) {
        switch try startOfValue() {
        case UInt8(ascii: "{"): try object(read)
        case UInt8(ascii: "["): try array(read)
        default: try failType(expected: "struct \(Field.structure)")
        }
    }

    private mutating func object<Field: JSONField>(
        _ read: (inout JSONReader, Field) throws(NonoError) -> Void
    ) throws(NonoError) {
        index += 1
        var seen: UInt64 = 0
        var isFirst = true
        while try hasKey(first: isFirst) {
            isFirst = false
            guard let field: Field = try field() else {
                try colon()
                try skipValue()
                continue
            }
            guard seen & 1 << field.rawValue == 0 else {
                _ = skipSpace()
                throw failure("duplicate field `\(field.key)`")
            }
            seen |= 1 << field.rawValue
            try colon()
            try read(&self, field)
        }
        for field in Field.allCases where field.isRequired && seen & 1 << field.rawValue == 0 {
            throw failure("missing field `\(field.key)`")
        }
    }

    /// Reads a key; nil for one that is none of the fields'.
    private mutating func field<Field: JSONField>() throws(NonoError) -> Field? {
        // Nearly all keys are written as they are, and then need no copy.
        for field in Field.allCases where skip(quoted: field.key) {
            return field
        }
        let key = try string()
        return Field.allCases.first { JSONText.isEqual(key, $0.key) }
    }

    private mutating func array<Field: JSONField>(
        _ read: (inout JSONReader, Field) throws(NonoError) -> Void
    ) throws(NonoError) {
        index += 1
        let fields = Field.allCases.filter { $0.isRequired }
        for (position, field) in fields.enumerated() {
            guard try hasElement(first: position == 0) else {
                index += 1
                throw failure(
                    "invalid length \(position), expected struct \(Field.structure) with \(fields.count) elements")
            }
            try read(&self, field)
        }
        switch skipSpace() {
        case UInt8(ascii: "]"):
            index += 1
            return
        case nil: throw failureAtNext("EOF while parsing a list")
        case UInt8(ascii: ","):
            index += 1
            if skipSpace() == UInt8(ascii: "]") {
                throw failureAtNext("trailing comma")
            }
        default: break
        }
        throw failureAtNext("trailing characters")
    }
}
