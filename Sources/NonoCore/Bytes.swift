// SPDX-License-Identifier: Apache-2.0

// Looking at bytes eight at a time: saved states are long, and have hardly anything but ASCII in them.

/// Whether two ranges of so many bytes are equal.
func isEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, count: Int) -> Bool {
    var place = 0
    while place + 8 <= count {
        let (ours, theirs) = (
            left.loadUnaligned(fromByteOffset: place, as: UInt64.self),
            right.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        )
        if ours != theirs {
            return false
        }
        place += 8
    }
    while place < count {
        if left.load(fromByteOffset: place, as: UInt8.self) != right.load(fromByteOffset: place, as: UInt8.self) {
            return false
        }
        place += 1
    }
    return true
}

func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var seen: UInt64 = 0
    var place = 0
    while place + 8 <= bytes.count {
        seen |= bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        place += 8
    }
    while place < bytes.count {
        seen |= UInt64(bytes[place])
        place += 1
    }
    return seen & 0x8080_8080_8080_8080 == 0
}

/// Whether every byte is ASCII and stands for itself in a string of JSON.
func isPlainASCII(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.count == endOfPlainASCII(UnsafeRawBufferPointer(bytes), from: 0)
}

/// The first place, from one on, whose byte is not ASCII or does not stand for itself in a string of JSON; the end if
/// there is none.
func endOfPlainASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var place = start
    while place + 8 <= bytes.count {
        // The lowest byte with its high bit set is the first that is not plain; those above it may be wrong.
        let odd = oddBytes(in: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
        if odd != 0 {
            return place + odd.trailingZeroBitCount / 8
        }
        place += 8
    }
    while place < bytes.count, JSONText.isPlain(bytes[place]), bytes[place] < 0x80 {
        place += 1
    }
    return place
}

/// Sets the high bit of bytes that are below 0x20, a quote, a backslash or not ASCII: of the lowest such byte for
/// certain, of the bytes above it perhaps.
private func oddBytes(in word: UInt64) -> UInt64 {
    let each: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (each &* UInt64(UInt8(ascii: "\"")))
    let backslash = word ^ (each &* UInt64(UInt8(ascii: "\\")))
    // What is below a limit borrows when the limit is taken away, which its high bit shows.
    let control = (word &- (each &* 0x20)) & ~word
    return (control | (quote &- each) & ~quote | (backslash &- each) & ~backslash | word) & (each &* 0x80)
}
