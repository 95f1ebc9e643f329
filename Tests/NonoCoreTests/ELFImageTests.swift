// SPDX-License-Identifier: Apache-2.0

import Foundation
import NonoCore
import Testing

private func append(_ value: UInt64, _ size: Int, to bytes: inout [UInt8]) {
    for index in 0..<size {
        bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
    }
}

/// An ELF file with a loader and a dynamic section, the texts at the end.
private func elf(interpreter: String? = "/lib64/ld.so", machine: UInt64 = 62, _ entries: [(tag: UInt64, text: String)])
    -> [UInt8]
{
    let segments = interpreter == nil ? 2 : 3
    let dynamicOffset = 64 + 56 * segments
    let stringsOffset = dynamicOffset + 16 * (entries.count + 2)
    var strings: [UInt8] = [0]
    var dynamic: [UInt8] = []
    append(5, 8, to: &dynamic)
    append(0x40_0000 + UInt64(stringsOffset), 8, to: &dynamic)
    for entry in entries {
        append(entry.tag, 8, to: &dynamic)
        append(UInt64(strings.count), 8, to: &dynamic)
        strings += Array(entry.text.utf8) + [0]
    }
    append(0, 16, to: &dynamic)
    let interpreterOffset = stringsOffset + strings.count
    strings += Array((interpreter ?? "").utf8) + [0]

    var file: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    append(3, 2, to: &file)
    append(machine, 2, to: &file)
    append(0, 12, to: &file)
    append(64, 8, to: &file)
    append(0, 14, to: &file)
    append(56, 2, to: &file)
    append(UInt64(segments), 2, to: &file)
    append(0, 6, to: &file)
    func segment(_ type: UInt64, _ offset: Int, _ address: UInt64, _ size: Int) {
        append(type, 8, to: &file)
        append(UInt64(offset), 8, to: &file)
        append(address, 16, to: &file)
        append(UInt64(size), 16, to: &file)
        append(8, 8, to: &file)
    }
    if let interpreter {
        segment(3, interpreterOffset, 0, interpreter.utf8.count + 1)
    }
    segment(1, 0, 0x40_0000, interpreterOffset)
    segment(2, dynamicOffset, 0x40_0000 + UInt64(dynamicOffset), dynamic.count)
    return file + dynamic + strings
}

/// Reads an image and checks that no more is asked for than there is reason to.
private func image(_ bytes: [UInt8]) -> ELFImage? {
    var total = 0
    return ELFImage { offset, count in
        total += count
        precondition(count >= 0 && total < 32 << 20)
        guard offset < UInt64(bytes.count) else { return [] }
        return Array(bytes[Int(offset)..<min(bytes.count, Int(offset) + count)])
    }
}

private func texts(_ bytes: [[UInt8]]) -> [String] {
    bytes.map { String(decoding: $0, as: UTF8.self) }
}

@Suite struct ELFImageTests {
    @Test func whatTheLoaderReads() throws {
        let found = try #require(
            image(elf([(1, "liba.so.1"), (15, "/r"), (29, "$ORIGIN/../lib:/x"), (1, "libb.so"), (30, "")])))
        #expect(found.interpreter.map { String(decoding: $0, as: UTF8.self) } == "/lib64/ld.so")
        #expect(texts(found.needed) == ["liba.so.1", "libb.so"])
        #expect(texts([found.rpath, found.runpath]) == ["/r", "$ORIGIN/../lib:/x"])
        #expect(found.machine == 62 && !found.omitsDefaults)
    }

    @Test func otherKinds() throws {
        let plain = try #require(image(elf(interpreter: nil, machine: 183, [])))
        #expect(plain.interpreter == nil && plain.needed.isEmpty && plain.machine == ELFImage.aarch64)
        for (place, value) in [(0, 0x7E), (3, 0), (4, 1), (5, 2)] {
            var other = elf([])
            other[place] = UInt8(value)
            #expect(image(other) == nil)
        }
        #expect(image([]) == nil)
        #expect(image(Array(elf([]).prefix(63))) == nil)
    }

    @Test func nothingBehindTheEndIsRead() throws {
        let whole = elf([(1, "liba.so.1"), (29, "/x")])
        for length in 64..<whole.count {
            let found = try #require(image(Array(whole.prefix(length))))
            #expect(found.needed.count <= 1)
            #expect(found.needed.allSatisfy { $0.isEmpty || texts([$0]) == ["liba.so.1"] })
        }
    }

    @Test func anyBytesAreSurvived() throws {
        var generator = SystemRandomNumberGenerator()
        let samples = [
            elf([(1, "liba.so.1"), (15, "/r"), (29, "/x")]),
            Array(try Data(contentsOf: URL(filePath: "/proc/self/exe")).prefix(8192)),
        ]
        for round in 0..<4000 {
            var bytes = samples[round % 2]
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                let place = Int.random(in: 4..<min(bytes.count, 600), using: &generator)
                bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255)].randomElement(using: &generator)!
            }
            _ = image(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator))))
        }
    }
}

@Suite struct LoaderCacheTests {
    private func cache(_ entries: [(flags: UInt64, name: String, path: String)], old: Int? = nil) -> [UInt8] {
        var strings: [UInt8] = []
        var table: [UInt8] = []
        let start = 48 + 24 * entries.count
        for entry in entries {
            append(entry.flags, 4, to: &table)
            append(UInt64(start + strings.count), 4, to: &table)
            strings += Array(entry.name.utf8) + [0]
            append(UInt64(start + strings.count), 4, to: &table)
            strings += Array(entry.path.utf8) + [0]
            append(0, 12, to: &table)
        }
        var file: [UInt8] = []
        if let old {
            file = Array("ld.so-1.7.0\0".utf8)
            append(UInt64(old), 4, to: &file)
            file += [UInt8](repeating: 1, count: 12 * old)
            file += [UInt8](repeating: 0, count: -file.count & 7)
        }
        file += Array("glibc-ld.so.cache1.1".utf8)
        append(UInt64(entries.count), 4, to: &file)
        append(UInt64(strings.count), 4, to: &file)
        append(0, 20, to: &file)
        return file + table + strings
    }

    private func files(_ bytes: [UInt8], _ name: String, machine: UInt16 = 62) -> [String] {
        LoaderCache(bytes).files(for: Array(name.utf8), machine: machine).map(\.text)
    }

    @Test(arguments: [nil, 0, 1, 2, 7])
    func libraries(old: Int?) {
        let bytes = cache(
            [
                (0x0303, "libz.so.1", "/v3/libz.so.1"), (0x0303, "libz.so.1", "/lib/libz.so.1"),
                (0x0003, "libz.so.1", "/lib32/libz.so.1"), (0x0A03, "libz.so.1", "/arm/libz.so.1"),
                (0x0303, "libz.so.10", "/no"),
            ], old: old)
        #expect(files(bytes, "libz.so.1") == ["/v3/libz.so.1", "/lib/libz.so.1"])
        #expect(files(bytes, "libz.so.1", machine: ELFImage.aarch64) == ["/arm/libz.so.1"])
        #expect(files(bytes, "libz.so") == [])
        #expect(files([], "libz.so.1") == [])
    }

    @Test func anyBytesAreSurvived() {
        var generator = SystemRandomNumberGenerator()
        let whole = cache([(0x0303, "libz.so.1", "/lib/libz.so.1"), (0x0303, "a", "/b")], old: 3)
        for _ in 0..<4000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = files(Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator))), "libz.so.1")
        }
    }
}
