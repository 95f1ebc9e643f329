// SPDX-License-Identifier: Apache-2.0

/// The cache of glibc's dynamic loader, ld.so(8): which file a library's name stands for.
public struct LoaderCache {
    /// More than any system has libraries.
    public static let maximumSize = 16 << 20

    private let bytes: [UInt8]
    /// Where the cache begins: an older one may come first, for older loaders.
    private let start: Int
    private let count: Int

    private static let headerSize = 48
    private static let entrySize = 24

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var start = 0
        if isText("ld.so-1.7.0", in: bytes, at: 0), bytes.count >= 16 {
            start = (16 + 12 * Int(number(bytes, 12, 4)) + 7) & ~7
        }
        self.start = start
        guard isText("glibc-ld.so.cache1.1", in: bytes, at: start),
            bytes.count - start >= LoaderCache.headerSize
        else {
            count = 0
            return
        }
        let room = (bytes.count - start - LoaderCache.headerSize) / LoaderCache.entrySize
        count = min(Int(number(bytes, start + 20, 4)), room)
    }

    /// The files for a library: variants for some processors, and the one for all.
    public func files(for name: [UInt8], machine: UInt16) -> [Path] {
        // The kinds of ELF 64 libraries of libc6.
        let kind: UInt64 = machine == ELFImage.aarch64 ? 0x0A03 : 0x0303
        var found: [Path] = []
        for index in 0..<count {
            let entry = start + LoaderCache.headerSize + index * LoaderCache.entrySize
            if number(bytes, entry, 4) == kind && isName(name, at: number(bytes, entry + 4, 4)) {
                found.append(Path(text(at: number(bytes, entry + 8, 4))))
            }
        }
        return found
    }

    private func isName(_ name: [UInt8], at offset: UInt64) -> Bool {
        let place = start + Int(offset)
        guard place + name.count < bytes.count, bytes[place + name.count] == 0 else { return false }
        for index in 0..<name.count where bytes[place + index] != name[index] {
            return false
        }
        return true
    }

    private func text(at offset: UInt64) -> [UInt8] {
        var text: [UInt8] = []
        var place = start + Int(offset)
        while place < bytes.count && bytes[place] != 0 && text.count < 4096 {
            text.append(bytes[place])
            place += 1
        }
        return text
    }
}
