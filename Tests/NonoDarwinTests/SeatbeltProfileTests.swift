// SPDX-License-Identifier: Apache-2.0

import NonoCore
import NonoDarwin
import Testing

private func text(_ caps: CapabilitySet, home: String? = nil) throws(NonoError) -> String {
    String(decoding: try seatbeltProfile(for: caps, home: home.map { Path($0) }), as: UTF8.self)
}

private func lines(_ caps: CapabilitySet, home: String? = nil) throws(NonoError) -> [String] {
    try text(caps, home: home).split(separator: "\n").map(String.init)
}

private func set(_ grants: Grant...) -> CapabilitySet {
    var caps = CapabilitySet()
    for grant in grants {
        caps.add(grant)
    }
    return caps
}

private func message(_ caps: CapabilitySet) -> String? {
    do throws(NonoError) {
        _ = try text(caps)
        return nil
    } catch {
        #expect(error.code == .sandboxInit)
        #expect(error.diagnostic == .configurationError)
        return error.message
    }
}

@Suite struct SeatbeltProfileTests {
    private let lookUp = "(allow file-read-metadata (literal \""

    @Test func grantsOfEachKind() throws {
        let caps = set(
            try grant("/r", access: .read), try grant("/w", access: .write, isFile: true),
            try grant("/b", access: .readWrite))
        let paths = try lines(caps).filter { $0.contains("\"/r\"") || $0.contains("\"/w\"") || $0.contains("\"/b\"") }
        #expect(
            paths == [
                "(allow file-map-executable (subpath \"/r\"))", "(allow file-map-executable (subpath \"/b\"))",
                "(allow file-ioctl (subpath \"/r\"))", "(allow file-ioctl (literal \"/w\"))",
                "(allow file-ioctl (subpath \"/b\"))", "(allow file-read* (subpath \"/r\"))",
                "(allow file-read* (subpath \"/b\"))", "(allow file-write* (literal \"/w\"))",
                "(allow file-write* (subpath \"/b\"))",
            ])
    }

    @Test func duplicatesAreWrittenOnce() throws {
        let first = set(try grant("/a", access: .readWrite), try grant("/b", access: .write))
        let twice = set(
            try grant("/a", access: .readWrite), try grant("/b", access: .write), try grant("/a", access: .write),
            try grant("//a", leadingTo: "/a", access: .read))
        #expect(try text(twice) == text(first))
        // A file and a directory of one name are two things.
        #expect(try text(set(try grant("/a"), try grant("/a", isFile: true))).contains("(literal \"/a\")"))
    }

    /// The last clause wins, so a rule said twice is not said once.
    @Test func rulesStandAsTheyAre() throws {
        let rules = ["(allow mach-register)", "(deny mach-register) ; twice", " (allow mach-register)\t"]
        var caps = set(try grant("/a", access: .readWrite))
        for rule in rules + rules {
            caps.add(try PlatformRule(Array(rule.utf8)))
        }
        let expected =
            ["(allow file-read* (subpath \"/a\"))"] + rules + rules + ["(allow file-write* (subpath \"/a\"))"]
        #expect(try text(caps).contains("\n" + expected.joined(separator: "\n") + "\n"))
    }

    @Test func aNULInARule() throws {
        var caps = CapabilitySet()
        let network = "(allow network-outbound)\n(allow network-inbound)\n(allow network-bind)\n"
        let length = try text(caps).utf8.count - network.utf8.count
        caps.add(try PlatformRule(Array("(allow mach-register)".utf8)))
        caps.add(try PlatformRule(Array("(allow \0)".utf8)))
        let position = length + "(allow mach-register)\n(allow ".utf8.count
        let expected = "Invalid profile string: nul byte found in provided data at position: \(position)"
        #expect(message(caps) == "Sandbox initialization failed: \(expected)")
    }

    @Test func directoriesAboveAreSortedAndOnce() throws {
        let caps = set(
            try grant("/z/y/x"), try grant("/é/b"), try grant("/Z/b", access: .write),
            try grant("/z/y/w", isFile: true), try grant("/var//folders/x/", leadingTo: "/private/var/folders/x"),
            try grant("/usr/../bin/.", leadingTo: "/usr/bin"), try grant("/"))
        let above = try lines(caps).filter { $0.hasPrefix(lookUp) }.map { $0.dropFirst(lookUp.count).dropLast(3) }
        #expect(
            above == [
                "/Z", "/private", "/private/var", "/private/var/folders", "/usr", "/usr/..", "/var", "/var//folders",
                "/z", "/z/y", "/é",
            ])
        #expect(try lines(caps).contains("(allow file-read* (subpath \"/var//folders/x/\"))"))
    }

    @Test func relativeOriginalsBecomeAbsolute() throws {
        for (original, absolute) in [
            ("proj", "/home/u/proj"), ("./proj", "/home/u/proj"), ("../v/p", "/home/v/p"), ("../../../x", "/x"),
            (".", "/home/u"), ("..", "/home"), ("../..", "/"), ("./.././", "/home"), ("a/../b", "/home/u/a/../b"),
            ("...", "/home/u/..."), ("..a/.", "/home/u/..a/."), (".a", "/home/u/.a"), ("a//b/", "/home/u/a//b/"),
            (".//..//a", "/home/a"),
        ] {
            let caps = set(try grant(original, leadingTo: "/srv/p", from: "/home/u"))
            let read = try lines(caps).filter { $0.hasPrefix("(allow file-read* (subpath") }
            #expect(
                read == ["(allow file-read* (subpath \"/srv/p\"))", "(allow file-read* (subpath \"\(absolute)\"))"],
                "\(original)")
        }
        // Without links on the way, the resolved path is what the relative one means.
        let caps = set(try grant("proj", leadingTo: "/srv/p"))
        #expect(try text(caps) == text(set(try grant("/srv/p"))))
        #expect(try grant("a", leadingTo: "/b", from: "/").absoluteOriginal == Path("/a"))
    }

    @Test func mergedGrantsKeepTheirSpelling() throws {
        var caps = set(try grant("/srv/p"), try grant("link", leadingTo: "/srv/p", from: "/home/u"))
        caps.deduplicate()
        #expect(caps.grants.count == 1)
        #expect(try text(caps).contains("(allow file-read* (subpath \"/home/u/link\"))"))
    }

    @Test func theKeychainOpensItsServices() throws {
        let name = "Library/Keychains/login.keychain-db"
        func isOpen(_ grant: Grant, home: String?) throws -> Bool {
            let profile = try text(set(grant), home: home)
            #expect(profile.contains("com.apple.SecurityServer") == profile.contains("com.apple.securityd"))
            return !profile.contains("com.apple.SecurityServer")
        }
        let keychain = try grant("/Users/u/\(name)", isFile: true)
        #expect(try isOpen(keychain, home: "/Users/u"))
        #expect(try isOpen(keychain, home: "/Users/u/"))
        #expect(try !isOpen(keychain, home: "/Users/v"))
        #expect(try !isOpen(keychain, home: nil))
        #expect(try !isOpen(keychain, home: ""))
        #expect(try isOpen(try grant("/\(name)", access: .write, isFile: true), home: nil))
        #expect(try isOpen(try grant("/Users/u/\(name)", leadingTo: "/k", isFile: true), home: "/Users/u"))
        #expect(try isOpen(try grant("/k", leadingTo: "/Users/u/\(name)", isFile: true), home: "/Users/u"))
        #expect(try isOpen(try grant(name, leadingTo: "/k", isFile: true, from: "/Users/u"), home: "/Users/u"))
        #expect(try !isOpen(try grant("/Users/u/Library/Keychains"), home: "/Users/u"))
        #expect(try !isOpen(try grant("/Users/u/\(name)-wal", isFile: true), home: "/Users/u"))
        #expect(try !isOpen(try grant("/Users/u/\(name)/x", isFile: true), home: "/Users/u"))
        #expect(try !isOpen(try grant(name, leadingTo: "/k", isFile: true), home: ""))
    }

    @Test func networkModes() throws {
        func network(_ mode: NetworkMode, blocksUnixSockets: Bool = false) throws -> ArraySlice<String> {
            var caps = CapabilitySet()
            caps.network = mode
            caps.blocksUnixSockets = blocksUnixSockets
            return try lines(caps).drop { $0 != "(allow pseudo-tty)" }.dropFirst()
        }
        let open = ["(allow network-outbound)", "(allow network-inbound)", "(allow network-bind)"]
        #expect(try network(.allowAll) == open[...])
        #expect(
            try network(.allowAll, blocksUnixSockets: true) == open[...] + [
                "(deny network-outbound (remote unix-socket))", "(deny network-inbound (local unix-socket))",
                "(deny network-bind (local unix-socket))",
            ])
        for blocksUnixSockets in [false, true] {
            #expect(try network(.blocked, blocksUnixSockets: blocksUnixSockets) == ["(deny network*)"])
            #expect(try network(.proxyOnly(port: 0), blocksUnixSockets: blocksUnixSockets) == ["(deny network*)"])
            #expect(
                try network(.proxyOnly(port: 8080), blocksUnixSockets: blocksUnixSockets)
                    == ["(deny network*)", "(allow network-outbound (remote tcp \"localhost:8080\"))"])
        }
    }

    /// All of Unicode's class Cc, wherever it stands: in the path, above it, or in the original alone.
    @Test func controlCharactersAreRefused() throws {
        let codes = Array(0x01...0x1F) + [0x7F] + Array(0x80...0x9F)
        for (code, digits) in codes.map({ ($0, String($0, radix: 16, uppercase: true)) }) {
            let scalar = try #require(Unicode.Scalar(code))
            let expected = "path contains control character 0x\(digits.count < 2 ? "0" : "")\(digits): "
            let bad = "/a\(scalar)b"
            for (grant, path) in [
                (try grant(bad, access: .write, isFile: true), bad), (try grant("/c\(bad)/d"), "/c\(bad)"),
                (try grant(bad, leadingTo: "/c"), bad), (try grant("/c", leadingTo: bad), bad),
            ] {
                #expect(message(set(grant)) == "Sandbox initialization failed: \(expected)\(path)")
            }
        }
    }

    @Test func pathsThatAreNotText() throws {
        let bad: [UInt8] = Array("/a".utf8) + [0xFF, 0xC2]
        #expect(
            message(set(try grant(bad, leadingTo: bad)))
                == "Sandbox initialization failed: path contains non-UTF-8 bytes: /a\u{FFFD}\u{FFFD}")
        #expect(
            message(set(try grant(Array("/l".utf8), leadingTo: bad + Array("/c".utf8), access: .write)))
                == "Sandbox initialization failed: path contains non-UTF-8 bytes: /a\u{FFFD}\u{FFFD}/c")
        #expect(try text(set(try grant(bad, leadingTo: Array("/c".utf8)))) == text(set(try grant("/c"))))
    }

    /// What an error is about is decided by the place in the profile, not by the order of the grants.
    @Test func theFirstErrorCounts() throws {
        let caps = set(
            try grant("/w\u{1}", access: .write), try grant("/r\u{2}"), try grant("/p\u{3}/q\u{4}/r"))
        #expect(message(caps)?.hasSuffix("0x03: /p\u{3}") == true)
        #expect(message(set(caps.grants[0], caps.grants[1]))?.hasSuffix("0x02: /r\u{2}") == true)
    }
}
