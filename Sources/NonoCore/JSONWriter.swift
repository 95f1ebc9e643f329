// SPDX-License-Identifier: Apache-2.0

/// A long JSON text that is being written: bytes that are appended by the piece, as an array does not append them.
struct JSONWriter: ~Copyable {
    private var start: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    /// The text may become longer than `capacity`; it is written faster if it does not.
    init(capacity: Int) {
        self.capacity = max(capacity, 16)
        start = .allocate(capacity: self.capacity)
    }

    deinit {
        start.deallocate()
    }

    /// What has been written, valid until more is.
    var bytes: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: start, count: count)
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a string of JSON; false, and nothing, if the text is not UTF-8.
    mutating func appendQuoted(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if isPlainASCII(text) {
            append("\"")
            append(text)
            append("\"")
            return true
        }
        let text = Array(text)
        guard isUTF8(text) else { return false }
        var quoted: [UInt8] = []
        JSONText.appendQuoted(text, to: &quoted)
        quoted.withUnsafeBufferPointer { append($0) }
        return true
    }

    /// Appends once more what was written there.
    mutating func append(again range: Range<Int>) {
        reserve(range.count)
        UnsafeMutableRawPointer(start + count).copyMemory(from: start + range.lowerBound, byteCount: range.count)
        count += range.count
    }

    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        UnsafeMutableRawPointer(start + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    private mutating func reserve(_ added: Int) {
        if capacity - count < added {
            grow(to: max(2 * capacity, count + added))
        }
    }

    private mutating func grow(to newCapacity: Int) {
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity)
        moved.moveInitialize(from: start, count: count)
        start.deallocate()
        start = moved
        capacity = newCapacity
    }
}
