// SPDX-License-Identifier: Apache-2.0

import Foundation
import NonoCore
import NonoDarwin
import Testing

/// One recorded answer of the original: what was granted, and the profile or the error.
private struct Vector: Decodable {
    /// `["dir" or "file", original, resolved, mode]` or `["rule", text]`.
    let records: [[String]]
    let name: String
    let home: String?
    let networkBlocked: Bool
    let ok: String?
    let err: String?

    enum CodingKeys: String, CodingKey {
        case name, records, ok, err
        case home = "HOME"
        case networkBlocked = "network_blocked"
    }

    struct Path {
        let isFile: Bool
        let original: String
        let resolved: String
        let mode: String
    }

    func paths() throws -> [Path] {
        try records.filter { $0.first != "rule" }.map { record in
            try #require(record.count == 4 && ["dir", "file"].contains(record[0]), "\(record)")
            return Path(isFile: record[0] == "file", original: record[1], resolved: record[2], mode: record[3])
        }
    }

    var rules: [String] {
        records.filter { $0.first == "rule" }.map { $0[1] }
    }

    /// What stands for the working directory, which is not recorded: relative paths were granted from the home directory.
    var base: String { home ?? "/" }

    func capabilitySet() throws -> CapabilitySet {
        var caps = CapabilitySet()
        for path in try paths() {
            let access: AccessMode =
                switch path.mode {
                case "read": .read
                case "write": .write
                case "rw": .readWrite
                default: try #require(nil as AccessMode?, "mode \(path.mode)")
                }
            caps.add(
                try grant(
                    path.original, leadingTo: path.resolved, access: access, isFile: path.isFile,
                    from: path.original.hasPrefix("/") ? nil : base))
        }
        for rule in rules {
            caps.add(try PlatformRule(Array(rule.utf8)))
        }
        caps.network = networkBlocked ? .blocked : .allowAll
        return caps
    }
}

/// What is expected of us: what is recorded, changed where ours differs by decision (docs/differences.md). Bytes, because
/// strings compare by characters.
private struct Expectation {
    private static let lookUp = bytes("(allow file-read-metadata (literal ")
    private let absolutes: [(original: [UInt8], absolute: [UInt8])]
    private let rules: [UInt8]
    private let base: String

    init(for vector: Vector) throws {
        base = vector.base
        let relative = try vector.paths().filter { !$0.original.hasPrefix("/") }
        absolutes = relative.map { [base] path in
            let absolute = absolutePath(path.original, from: base)
            let names = absolute.split(separator: UInt8(ascii: "/")).filter { $0 != bytes(".")[...] }
            let isResolved = names == bytes(path.resolved).split(separator: UInt8(ascii: "/"))
            return (bytes(path.original), isResolved ? bytes(path.resolved) : absolute)
        }
        rules = vector.rules.flatMap { bytes($0 + "\n") }
    }

    struct Missing: Error {
        let rules: [UInt8]
    }

    /// Rules stand as they are, and may look like anything else.
    func profile(_ recorded: [UInt8]) throws -> [UInt8] {
        guard !rules.isEmpty else { return changed(recorded) }
        for position in recorded.indices where recorded[position...].starts(with: bytes("\n") + rules) {
            // Behind the rules are nothing but grants of writing, and the network.
            let tail = Array(recorded[(position + 1 + rules.count)...])
            let network = lines(tail).drop { $0.starts(with: bytes("(allow file-write* (")) }.first
            if network == bytes("(deny network*)") || network == bytes("(allow network-outbound)") {
                return changed(Array(recorded[...position])) + rules + changed(tail)
            }
        }
        throw Missing(rules: rules)
    }

    /// Relative originals become absolute, with what is above them; duplicates go; the block of look-ups is sorted.
    private func changed(_ part: [UInt8]) -> [UInt8] {
        var lines = lines(part)
        lines.removeAll { $0.starts(with: Expectation.lookUp) && $0[Expectation.lookUp.count + 1] != UInt8(ascii: "/") }
        for (original, absolute) in absolutes {
            let ends = ["(subpath ", "(literal "].map { ($0, bytes($0) + quoted(original) + bytes("))")) }
            lines = lines.map { line in
                guard let (filter, end) = ends.first(where: { line.ends(with: $0.1) }) else { return line }
                return line.dropLast(end.count) + bytes(filter) + quoted(absolute) + bytes("))")
            }
            if let root = lines.firstIndex(of: bytes("(allow file-read* (literal \"/\"))")) {
                let above = ancestors(of: absolute).map { Expectation.lookUp + quoted($0) + bytes("))") }
                lines.insert(contentsOf: above, at: root + 1)
            }
        }
        var seen: Set<[UInt8]> = []
        lines.removeAll { $0.starts(with: bytes("(allow file-")) && !seen.insert($0).inserted }
        let lookUps = lines.filter { $0.starts(with: Expectation.lookUp) }
        if let start = lines.firstIndex(where: { $0.starts(with: Expectation.lookUp) }) {
            let sorted = lookUps.sorted { path($0).lexicographicallyPrecedes(path($1)) }
            lines.replaceSubrange(start..<(start + lookUps.count), with: sorted)
        }
        return lines.flatMap { $0 + bytes("\n") }
    }

    /// The path of a look-up, without its escapes.
    private func path(_ lookUp: [UInt8]) -> [UInt8] {
        if case .list(let parts)? = try? SExpression.readAll(lookUp).first, case .list(let filter)? = parts.last,
            case .string(let path)? = filter.last
        {
            return path
        }
        return []
    }

    private func lines(_ text: [UInt8]) -> [[UInt8]] {
        text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().map { Array($0) }
    }

    /// Whether the message says what the recorded one does. The original takes the directories above the grants in a
    /// random order, so it may be about another one of them.
    func agrees(_ message: String, with recorded: String, grants: [Vector.Path]) -> Bool {
        guard let ours = controlError(message), let theirs = controlError(recorded) else { return message == recorded }
        let their =
            theirs.path.first == UInt8(ascii: "/")
            ? theirs.path : absolutePath(String(decoding: theirs.path, as: UTF8.self), from: base)
        let above = grants.flatMap { grant in
            let original = grant.original
            let absolute = original.hasPrefix("/") ? bytes(original) : absolutePath(original, from: base)
            return ancestors(of: bytes(grant.resolved)) + ancestors(of: absolute)
        }
        return ours.path == their ? ours.code == theirs.code : above.contains(ours.path) && above.contains(their)
    }

    private func controlError(_ message: String) -> (code: [UInt8], path: [UInt8])? {
        let start = bytes("Sandbox initialization failed: path contains control character 0x")
        let rest = Array(message.utf8)
        guard rest.starts(with: start), let colon = rest[start.count...].firstIndex(of: UInt8(ascii: ":")) else {
            return nil
        }
        return (Array(rest[start.count..<colon]), Array(rest[(colon + 2)...]))
    }
}

private func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

private func quoted(_ path: [UInt8]) -> [UInt8] {
    bytes("\"") + path.flatMap { bytes("\"\\").contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] } + bytes("\"")
}

/// The path below the directory, where leading dots are gone.
private func absolutePath(_ relative: String, from base: String) -> [UInt8] {
    var above = base.split(separator: "/")
    var names = relative.split(separator: "/", omittingEmptySubsequences: false)[...]
    while let name = names.first, name == "." || name == ".." || name.isEmpty {
        if name == ".." {
            _ = above.popLast()
        }
        names.removeFirst()
    }
    return bytes("/" + (above + names).joined(separator: "/"))
}

/// What is in front of a slash, if there is more behind it than slashes and dots.
private func ancestors(of path: [UInt8]) -> [[UInt8]] {
    let slash = UInt8(ascii: "/")
    return path.indices.dropFirst().filter { position in
        path[position] == slash && path[position - 1] != slash && !path[..<position].ends(with: bytes("/."))
            && path[position...].split(separator: slash).contains { $0 != bytes(".")[...] }
    }.map { Array(path[..<$0]) }
}

extension Collection where Element == UInt8 {
    fileprivate func ends(with end: [UInt8]) -> Bool {
        count >= end.count && self.dropFirst(count - end.count).elementsEqual(end)
    }
}

private func profile(_ caps: CapabilitySet, _ home: String?) -> Result<[UInt8], NonoError> {
    Result { () throws(NonoError) in try seatbeltProfile(for: caps, home: home.map { Path($0) }) }
}

@Suite struct SeatbeltVectorTests {
    /// The profiles that the original was seen to make. NONO_SEATBELT_VECTORS names a file with others.
    @Test func profilesOfTheOriginal() throws {
        let recorded = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Data/seatbelt-profiles.jsonl")
        let other = ProcessInfo.processInfo.environment["NONO_SEATBELT_VECTORS"]
        let file = other.map { URL(filePath: $0) } ?? recorded
        var compared = 0
        var refused = 0
        for line in try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")) {
            let vector = try JSONDecoder().decode(Vector.self, from: line)
            let expectation = try Expectation(for: vector)
            guard vector.rules.allSatisfy({ (try? PlatformRule(bytes($0))) != nil }) else {
                refused += 1
                continue
            }
            let caps = try vector.capabilitySet()
            switch profile(caps, vector.home) {
            case .success(let profile):
                let expected = try #require(vector.ok, "\(vector.name) has a profile")
                let difference = String(decoding: profile, as: UTF8.self)
                #expect(try profile == expectation.profile(bytes(expected)), "\(vector.name):\n\(difference)")
            case .failure(let error):
                let expected = try #require(vector.err, "\(vector.name): \(error.message)")
                let agrees = try expectation.agrees(error.message, with: expected, grants: vector.paths())
                #expect(agrees, "\(vector.name): \(error.message)")
            }
            compared += 1
        }
        print("compared \(compared) Seatbelt profiles with those in \(file.lastPathComponent)")
        if refused > 0 {
            print("left out \(refused) with a platform rule that is refused here, by docs/differences.md")
        }
        #expect(other == nil ? compared == 24 : compared > 0)
    }
}
