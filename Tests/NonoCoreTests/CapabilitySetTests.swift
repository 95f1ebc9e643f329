// SPDX-License-Identifier: Apache-2.0

import NonoCore
import Testing

let directoryMode: UInt32 = 0o040755
let fileMode: UInt32 = 0o100644

/// A grant of a path that need not exist.
func grant(
    _ resolved: String, _ access: AccessMode, original: String? = nil, isFile: Bool = false,
    source: Grant.Source = .user
) throws -> Grant {
    let path = Path(resolved)
    let target = ResolvedPath(
        path: path, identity: ObjectIdentity(device: 1, inode: 2, mode: isFile ? fileMode : directoryMode))
    let original = Path(original ?? resolved)
    return isFile
        ? try Grant(file: original, resolvedTo: target, access: access, source: source)
        : try Grant(directory: original, resolvedTo: target, access: access, source: source)
}

func set(_ grants: [Grant]) -> CapabilitySet {
    var caps = CapabilitySet()
    for grant in grants {
        caps.add(grant)
    }
    return caps
}

@Suite struct CapabilitySetTests {
    @Test func summaryOfNothing() {
        var caps = CapabilitySet()
        #expect(caps.summary == "(no capabilities granted)\nNetwork:\n  outbound: allowed")
        caps.network = .blocked
        #expect(caps.summary == "(no capabilities granted)\nNetwork:\n  outbound: blocked")
        caps.network = .proxyOnly(port: 8080)
        #expect(caps.summary == "(no capabilities granted)\nNetwork:\n  outbound: proxy-only (localhost:8080)")
    }

    @Test func summaryOfGrants() throws {
        var caps = set([
            try grant("/a/d", .read), try grant("/a/f", .write, isFile: true), try grant("/a/d", .readWrite),
        ])
        caps.network = .blocked
        #expect(
            caps.summary == """
                Filesystem:
                  /a/d [read] (dir)
                  /a/f [write] (file)
                  /a/d [read+write] (dir)
                Network:
                  outbound: blocked
                """)
    }

    @Test func kindsAreChecked() throws {
        let directory = ResolvedPath(
            path: Path("/d"), identity: ObjectIdentity(device: 1, inode: 1, mode: directoryMode))
        let file = ResolvedPath(path: Path("/f"), identity: ObjectIdentity(device: 1, inode: 2, mode: fileMode))
        let notDirectory = #expect(throws: NonoError.self) {
            try Grant(directory: Path("x/f"), resolvedTo: file, access: .read)
        }
        #expect(notDirectory?.message == "Expected a directory but got a file: x/f")
        #expect(notDirectory?.code == .expectedDirectory)
        #expect(notDirectory?.remedy?.isFile == true)
        let notFile = #expect(throws: NonoError.self) {
            try Grant(file: Path("x/d"), resolvedTo: directory, access: .read)
        }
        #expect(notFile?.message == "Expected a file but got a directory: x/d")
        #expect(notFile?.code == .expectedFile)
    }

    @Test func copiesAreIndependent() throws {
        var caps = set([try grant("/a", .read)])
        let copy = caps
        caps.add(try grant("/b", .write))
        caps.deduplicate()
        #expect(copy.grants.count == 1)
        #expect(copy.answer(for: Path("/b/x"), mode: .write) == .notGranted)
        #expect(caps.answer(for: Path("/b/x"), mode: .write) == .allowed(path: Path("/b"), access: .write))
    }
}

@Suite struct DeduplicationTests {
    /// Each case: grants before, and after, as "resolved access original".
    @Test func recordedCases() throws {
        let r = AccessMode.read
        let w = AccessMode.write
        let rw = AccessMode.readWrite
        #expect(try merged([("/d", r, "/d"), ("/d", w, "/d")]) == ["/d read+write /d"])
        #expect(
            try merged([("/d", r, "/d"), ("/etc", r, "/etc"), ("/d", rw, "/d")])
                == ["/etc read /etc", "/d read+write /d"])
        #expect(
            try merged([("/d", r, "/d"), ("/etc", r, "/etc"), ("/d", w, "/d")])
                == ["/d read+write /d", "/etc read /etc"])
        #expect(try merged([("/d", r, "/d"), ("/d", r, "/l1")]) == ["/d read /l1"])
        #expect(try merged([("/d", r, "/l1"), ("/d", r, "/d")]) == ["/d read /l1"])
        #expect(try merged([("/d", r, "/l1"), ("/d", r, "/l2")]) == ["/d read /l1"])
        #expect(try merged([("/d", r, "/d"), ("/d", r, "/l1"), ("/d", r, "/l2")]) == ["/d read /l2"])
        #expect(try merged([("/d", r, "/l1"), ("/d", rw, "/l2")]) == ["/d read+write /l2"])
        #expect(
            try merged([("/d", r, "/l1"), ("/d", rw, "/d"), ("/d", w, "/l2")]) == ["/d read+write /l2"])
        #expect(try merged([("/d", r, "./d"), ("/d", r, "d/"), ("/d", r, "d/../d")]) == ["/d read ./d"])
    }

    @Test func kindsAndParentsStayApart() throws {
        var caps = set([
            try grant("/a", .read), try grant("/a", .write, isFile: true), try grant("/a/b", .read),
        ])
        caps.deduplicate()
        #expect(caps.grants.count == 3)
    }

    @Test func whatAUserIntendsWins() throws {
        let caps = try [
            [grant("/a", .read), grant("/a", .readWrite, source: .system)],
            [grant("/a", .readWrite, source: .group([0x67])), grant("/a", .read, source: .profile)],
        ].map { grants in
            var caps = set(grants)
            caps.deduplicate()
            return caps.grants[0]
        }
        #expect(caps.map(\.access) == [.read, .read])
        #expect(caps[0].source == .user)
        #expect(caps[1].source == .profile)
    }

    @Test func aSecondTimeChangesNothing() throws {
        var caps = set([try grant("/d", .read), try grant("/d", .write, original: "/l"), try grant("/e", .read)])
        caps.deduplicate()
        let once = describe(caps)
        caps.deduplicate()
        #expect(describe(caps) == once)
    }

    /// Many grants of few paths, against the rules said once more for one path and kind at a time.
    @Test func randomSets() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let grants = try (0..<Int.random(in: 1...40, using: &random)).map { _ in
                let path = ["/a", "/a/b", "/c", "/d"].randomElement(using: &random)!
                return try grant(
                    path, [.read, .write, .readWrite].randomElement(using: &random)!,
                    original: [path, "\(path)/.", "/l1", "/l2"].randomElement(using: &random)!,
                    isFile: Bool.random(using: &random),
                    source: [.user, .system, .profile, .group([0x67])].randomElement(using: &random)!)
            }
            var caps = set(grants)
            caps.deduplicate()
            let kinds = Set(grants.map { "\($0.resolved.text) \($0.isFile)" })
            let expected = kinds.map { kind in
                survivor(
                    of: grants.indices.filter { "\(grants[$0].resolved.text) \(grants[$0].isFile)" == kind }, grants)
            }
            #expect(describe(caps) == expected.sorted { $0.position < $1.position }.map(\.text))
            var again = set(caps.grants)
            again.deduplicate()
            #expect(describe(again) == describe(caps))
        }
    }

    private func survivor(of positions: [Int], _ grants: [Grant]) -> (position: Int, text: String) {
        var winner = positions[0]
        var access: [Int: AccessMode] = [:]
        var original: [Int: Path] = [:]
        func isPlain(_ position: Int) -> Bool {
            grants[position].original.sameComponents(as: grants[position].resolved)
        }
        for later in positions.dropFirst() {
            let (old, new) = (grants[winner], grants[later])
            let oldIntended = old.source == .user || old.source == .profile
            let newIntended = new.source == .user || new.source == .profile
            let newWins =
                oldIntended != newIntended ? newIntended : new.access == .readWrite && old.access != .readWrite
            let (kept, lost) = newWins ? (later, winner) : (winner, later)
            if [old.access, new.access].contains(.read) && [old.access, new.access].contains(.write) {
                access[kept] = .readWrite
            }
            if isPlain(kept) && !isPlain(lost) {
                original[kept] = grants[lost].original
            }
            winner = kept
        }
        let path = grants[winner].resolved.text
        return (
            winner,
            "\(path) \((access[winner] ?? grants[winner].access).text) \((original[winner] ?? grants[winner].original).text)"
        )
    }

    private func merged(_ grants: [(String, AccessMode, String)]) throws -> [String] {
        var caps = set(try grants.map { try grant($0.0, $0.1, original: $0.2) })
        caps.deduplicate()
        return describe(caps)
    }

    private func describe(_ caps: CapabilitySet) -> [String] {
        caps.grants.map { "\($0.resolved.text) \($0.access.text) \($0.original.text)" }
    }
}
