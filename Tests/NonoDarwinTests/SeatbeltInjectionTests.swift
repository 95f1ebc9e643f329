// SPDX-License-Identifier: Apache-2.0

// Nothing that a caller names can break out of its place: a reader of our own finds the clauses meant, and no others.

import NonoCore
import NonoDarwin
import Testing

/// The same numbers in every run.
private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 33) &* 0xFF51_AFD7_ED55_8CCD
    }
}

private func read(_ caps: CapabilitySet) throws -> [SExpression] {
    try SExpression.readAll(try seatbeltProfile(for: caps, home: Path("/Users/u")))
}

private func filter(_ path: String, isFile: Bool) -> SExpression {
    [isFile ? "literal" : "subpath", .string(path)]
}

private let beforePaths: [SExpression] = [
    ["version", "1"], ["deny", "default"], ["allow", "process-exec*"], ["allow", "process-fork"],
    ["allow", "process-info*", ["target", "self"]], ["deny", "process-info*", ["target", "others"]],
    ["allow", "sysctl-read"], ["allow", "mach-lookup"],
    ["deny", "mach-lookup", ["global-name", .string("com.apple.SecurityServer")]],
    ["deny", "mach-lookup", ["global-name", .string("com.apple.securityd")]], ["allow", "mach-per-user-lookup"],
    ["allow", "mach-task-name"], ["deny", "mach-priv*"], ["allow", "ipc-posix-shm-read-data"],
    ["allow", "ipc-posix-shm-write-data"], ["allow", "ipc-posix-shm-write-create"],
    ["allow", "signal", ["target", "self"]], ["allow", "system-socket"], ["allow", "system-fsctl"],
    ["allow", "system-info"], ["allow", "file-read*", ["literal", .string("/")]],
]
private let terminals: [SExpression] = [
    ["allow", "file-ioctl", ["literal", .string("/dev/tty")]],
    ["allow", "file-ioctl", ["regex", .raw(Array("^/dev/ttys[0-9]+$".utf8))]],
    ["allow", "file-ioctl", ["regex", .raw(Array("^/dev/pty[a-z][0-9a-f]+$".utf8))]],
]

/// What is granted, said once more for the test: names below the root, where they lead, how.
private struct Meant {
    let original: [String]
    let resolved: [String]
    let access: AccessMode
    let isFile: Bool

    var paths: [String] {
        let paths = [resolved, original].map { "/" + $0.joined(separator: "/") }
        return Array(paths[0].utf8) == Array(paths[1].utf8) ? [paths[0]] : paths
    }

    var above: [String] {
        [resolved, original].flatMap { names in
            (1..<names.count).map { "/" + names[..<$0].joined(separator: "/") }
        }
    }

    /// The clauses of a whole set.
    static func clauses(_ all: [Meant], rules: [SExpression]) -> [SExpression] {
        func clauses(_ operation: SExpression, of some: [Meant]) -> [SExpression] {
            var found: [SExpression] = []
            for meant in some {
                for path in meant.paths {
                    let clause: SExpression = ["allow", operation, filter(path, isFile: meant.isFile)]
                    if !found.contains(clause) {
                        found.append(clause)
                    }
                }
            }
            return found
        }
        let above = Set(all.flatMap(\.above).map { Array($0.utf8) }).sorted { $0.lexicographicallyPrecedes($1) }
        let readable = all.filter { $0.access != .write }
        var result = beforePaths
        result += above.map { ["allow", "file-read-metadata", ["literal", .string($0)]] }
        result += clauses("file-map-executable", of: readable) + terminals + clauses("file-ioctl", of: all)
        result += [["allow", "pseudo-tty"]] + clauses("file-read*", of: readable) + rules
        return result + clauses("file-write*", of: all.filter { $0.access != .read })
    }
}

@Suite struct SeatbeltInjectionTests {
    private let network: [SExpression] = [
        ["allow", "network-outbound"], ["allow", "network-inbound"], ["allow", "network-bind"],
    ]

    /// Names that mean something to readers of Scheme, alone and side by side.
    private let pieces = [
        "\"", "\\", "(", ")", "\\\"", "\"))", "(allow default)", "\")) (allow file-read* (subpath \"/", ";", "#|", "|#",
        "#\"", "'", "`", ",", "#;", "[", "]", "{", "}", "|", " ", "  ", "a", "é", "e\u{301}", "\u{301}", "\u{2028}",
        "\u{2029}", "\u{200B}", "\u{FEFF}", "\u{202E}", "\u{FFFF}", "\u{10FFFF}", "\u{1F600}", "\u{A0}", "$", "${HOME}",
        "*", "?", "%00", "\\n", "\\0", "\\x41;", "#t", ".", "..", "...", "-", "\\\\",
    ]

    private func name(_ numbers: inout Numbers) -> String {
        var name = ""
        for _ in 0...Int.random(in: 0...4, using: &numbers) {
            name += pieces.randomElement(using: &numbers) ?? "a"
        }
        // A slash would make two names of it, and two dots are not a name.
        name.unicodeScalars.removeAll { $0 == "/" }
        return name == "." || name == ".." || name.isEmpty ? "x" : name
    }

    @Test func namesStayNames() throws {
        var numbers = Numbers(state: 6)
        for _ in 0..<400 {
            var caps = CapabilitySet()
            var all: [Meant] = []
            for _ in 0...Int.random(in: 0...5, using: &numbers) {
                let resolved = (0...Int.random(in: 0...3, using: &numbers)).map { _ in name(&numbers) }
                let isLink = Bool.random(using: &numbers)
                let meant = Meant(
                    original: isLink ? [name(&numbers), name(&numbers)] : resolved, resolved: resolved,
                    access: [.read, .write, .readWrite].randomElement(using: &numbers) ?? .read,
                    isFile: Bool.random(using: &numbers))
                let original = "/" + meant.original.joined(separator: "/")
                let target = "/" + meant.resolved.joined(separator: "/")
                caps.add(try grant(original, leadingTo: target, access: meant.access, isFile: meant.isFile))
                all.append(meant)
            }
            caps.allowCommand(Array(name(&numbers).utf8))
            caps.blockCommand(Array("\n(allow default)\n".utf8))
            #expect(try read(caps) == Meant.clauses(all, rules: []) + network)
        }
    }

    /// Characters of every class but Cc: the first and last of each class, and some in between.
    @Test func everyClassOfCharactersIsText() throws {
        var classes: [Unicode.GeneralCategory: [Unicode.Scalar]] = [:]
        for code in UInt32(0x20)...0x10FFFF where code % 31 == 0 || code < 0x3000 {
            if let scalar = Unicode.Scalar(code), scalar != "/" {
                classes[scalar.properties.generalCategory, default: []].append(scalar)
            }
        }
        classes[.control] = nil
        #expect(classes.count == 28, "all but Cc, and Cs, which is not in UTF-8")
        for (category, scalars) in classes {
            let some = stride(from: 0, to: scalars.count, by: max(1, scalars.count / 64)).map { scalars[$0] }
            var caps = CapabilitySet()
            var all: [Meant] = []
            for scalar in some + scalars.suffix(1) {
                let name = "a" + String(Character(scalar)) + "b"
                all.append(
                    Meant(original: ["d" + name, name], resolved: ["d" + name, name], access: .read, isFile: true))
                caps.add(try grant("/d\(name)/\(name)", isFile: true))
            }
            #expect(try read(caps) == Meant.clauses(all, rules: []) + network, "\(category)")
        }
    }

    /// A rule is refused, or it is so many whole clauses of its own, and what stands before and behind is as without it.
    @Test func rulesStayWhereTheyAre() throws {
        var numbers = Numbers(state: 7)
        let words = [
            "(", ")", "(", ")", "allow", "deny", " ", " ", "\n", "\t", "mach-lookup", "(global-name \"a\")", "\"", "\\",
            ";",
            "; x\n", "#|", "|#", "#", "'", "file-read*", "(subpath \"/opt\")", "\"(\"", "\")\"", "\r", "\u{2028}",
            "\u{85}",
            "(deny network-bind)", "(allow sysctl-write)", "#\"^/opt/[a-z]\"",
        ]
        let meant = Meant(original: ["o"], resolved: ["r"], access: .readWrite, isFile: false)
        var accepted = 0
        for round in 0..<20000 {
            var rule = round % 2 == 0 ? "(" : "(deny "
            for _ in 0..<Int.random(in: 1...7, using: &numbers) {
                rule += words.randomElement(using: &numbers) ?? ""
            }
            rule += round % 2 == 0 ? "" : ")"
            guard let checked = try? PlatformRule(Array(rule.utf8)) else { continue }
            accepted += 1
            var caps = CapabilitySet()
            caps.add(try grant("/o", leadingTo: "/r", access: .readWrite))
            caps.add(checked)
            let alone = try SExpression.readAll(Array(rule.utf8))
            #expect(try read(caps) == Meant.clauses([meant], rules: alone) + network, "\(rule)")
        }
        #expect(accepted > 500, "\(accepted) of 20000 rules are accepted")
    }

    /// The reader itself: a path that is written down without care breaks out, and the reader sees it.
    @Test func theReaderSeesWhatBreaksOut() throws {
        let path = "/a\"))(allow default)(allow file-read* (subpath \"/b"
        let careless = try SExpression.readAll(Array("(allow file-read* (subpath \"\(path)\"))".utf8))
        #expect(careless.count == 3)
        #expect(careless.contains(["allow", "default"]))
        for text in ["(", ")", "(a))", "\"", "(\"a)", "#|", "#| a", "\"\\n\"", "\"\\", "#\"\\\"\""] {
            #expect(throws: SExpression.SyntaxError.self, "\(text)") { try SExpression.readAll(Array(text.utf8)) }
        }
        #expect(
            try SExpression.readAll(Array("a ; )\n#| ( |# #\"\\d\" \"\\\"\\\\\"".utf8)) == [
                "a", .raw(Array("\\d".utf8)), .string("\"\\"),
            ])
    }
}
