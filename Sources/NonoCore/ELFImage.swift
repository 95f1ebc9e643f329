// SPDX-License-Identifier: Apache-2.0

/// What the kernel and the dynamic loader read in an ELF file before anything of it runs; elf(5). 64 bits, little
/// endian.
///
/// A file can say what it wants: everything is bounded, and what does not fit is taken as absent.
public struct ELFImage {
    public let machine: UInt16
    /// The dynamic loader, if the kernel is to start one.
    public private(set) var interpreter: [UInt8]?
    /// The names of the libraries it needs.
    public private(set) var needed: [[UInt8]] = []
    /// Directories to look for them in, with colons between them.
    public private(set) var rpath: [UInt8] = []
    public private(set) var runpath: [UInt8] = []
    /// Whether the loader's own directories are not to be looked in.
    public private(set) var omitsDefaults = false

    /// A value of `machine`; the other one that this library is built for is x86-64.
    public static let aarch64: UInt16 = 183

    private static let headerSize = 64
    private static let segmentSize = 56
    private static let maximumSegments = 512
    private static let maximumEntries = 4096
    private static let longestText = 4096
    private static let loadable: UInt64 = 1
    private static let dynamic: UInt64 = 2
    private static let interpreterPath: UInt64 = 3

    /// Nil if it is no such file. `read` returns as many bytes as there are at an offset, up to a number of them.
    public init?(read: (UInt64, Int) -> [UInt8]) {
        let header = read(0, ELFImage.headerSize)
        guard header.count == ELFImage.headerSize, number(header, 0, 4) == 0x464C_457F, header[4] == 2, header[5] == 1
        else { return nil }
        machine = UInt16(number(header, 18, 2))
        let count = min(Int(number(header, 56, 2)), ELFImage.maximumSegments)
        let segments = read(number(header, 32, 8), count * ELFImage.segmentSize)
        var dynamicOffset: UInt64?
        var dynamicSize: UInt64 = 0
        for place in stride(from: 0, to: segments.count - ELFImage.segmentSize + 1, by: ELFImage.segmentSize) {
            let offset = number(segments, place + 8, 8)
            let size = number(segments, place + 32, 8)
            switch number(segments, place, 4) {
            case ELFImage.interpreterPath where interpreter == nil:
                interpreter = ELFImage.text(at: offset, size, read)
            case ELFImage.dynamic:
                dynamicOffset = offset
                dynamicSize = size
            default: break
            }
        }
        if let dynamicOffset {
            let entries = read(dynamicOffset, Int(min(dynamicSize / 16, UInt64(ELFImage.maximumEntries))) * 16)
            readDynamic(entries, segments, read)
        }
    }

    private mutating func readDynamic(_ entries: [UInt8], _ segments: [UInt8], _ read: (UInt64, Int) -> [UInt8]) {
        var address: UInt64 = 0
        for place in stride(from: 0, to: entries.count - 15, by: 16) where number(entries, place, 8) == 5 {
            address = number(entries, place + 8, 8)
        }
        let strings = ELFImage.fileOffset(of: address, in: segments)
        for place in stride(from: 0, to: entries.count - 15, by: 16) {
            let value = number(entries, place + 8, 8)
            // The texts' table, at most 4 GiB long, begins somewhere in the file.
            let offset = strings &+ min(value, UInt64(UInt32.max))
            switch number(entries, place, 8) {
            case 0: return
            case 1: needed.append(ELFImage.text(at: offset, UInt64.max, read))
            case 15: rpath = ELFImage.text(at: offset, UInt64.max, read)
            case 29: runpath = ELFImage.text(at: offset, UInt64.max, read)
            case 0x6FFF_FFFB: omitsDefaults = value & 0x800 != 0
            default: break
            }
        }
    }

    /// Where in the file an address is; the end of every file if it is nowhere.
    private static func fileOffset(of address: UInt64, in segments: [UInt8]) -> UInt64 {
        for place in stride(from: 0, to: segments.count - segmentSize + 1, by: segmentSize)
        where number(segments, place, 4) == loadable {
            let start = number(segments, place + 16, 8)
            if address >= start && address - start < number(segments, place + 32, 8) {
                return number(segments, place + 8, 8) &+ (address - start)
            }
        }
        return UInt64(Int64.max)
    }

    /// A terminated text; empty if it does not end.
    private static func text(at offset: UInt64, _ size: UInt64, _ read: (UInt64, Int) -> [UInt8]) -> [UInt8] {
        let bytes = read(offset, Int(min(size, UInt64(longestText))))
        guard let end = bytes.firstIndex(of: 0) else { return [] }
        return Array(bytes[..<end])
    }
}
