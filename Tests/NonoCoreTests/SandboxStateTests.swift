// SPDX-License-Identifier: Apache-2.0

import Foundation
import NonoCore
import Testing

/// The message with which reading fails, or `nil`.
private func failure(_ json: [UInt8]) -> String? {
    do throws(NonoError) {
        _ = try SandboxState(json: json)
        return nil
    } catch {
        #expect(error.code == .configParse)
        #expect(error.diagnostic == .configurationError)
        return error.message
    }
}

private func failure(_ json: String) -> String? {
    failure(Array(json.utf8))
}

private func json(_ state: SandboxState) throws(NonoError) -> [UInt8] {
    try state.withJSON { Array($0) }
}

private func text(_ state: SandboxState) throws -> String {
    String(decoding: try json(state), as: UTF8.self)
}

private func read(_ json: String) throws -> SandboxState {
    try SandboxState(json: Array(json.utf8))
}

private func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

@Suite struct SandboxStateReadingTests {
    private struct Case: Decodable {
        let `in`: String
        let err: String?
    }

    /// What the original answers to valid and broken states: `in` is the text, `err` the error, if it is one.
    @Test func answersOfTheOriginal() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Data/sandbox-state-from-json.jsonl")
        let lines = try Data(contentsOf: file).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 1756)
        for line in lines {
            let sample = try JSONDecoder().decode(Case.self, from: line)
            #expect(failure(sample.in) == sample.err, "for \(sample.in)")
        }
    }

    @Test func objectsAndArrays() throws {
        let entry = SandboxState.Entry(
            original: bytes("d"), resolved: bytes("/srv/d"), access: .unknown(bytes("any text")), isFile: true)
        var expected = SandboxState()
        expected.entries = [entry, entry]
        expected.networkBlocked = true
        let json = """
            {"net_blocked": true, "version": 2, "\\u0066s": [
                ["d", "/srv/d", "any text", true],
                {"is_file": true, "access": "any text", "resolved": "\\/srv/\\u0064", "original": "d", "Access": null}
            ]}
            """
        #expect(try read(json) == expected)
        #expect(try read("[[], false]") == SandboxState())
    }

    @Test func escapes() throws {
        let state = try read(#"[[["\"\\\/\b\f\n\r\t\u0000\u00e9\uD83D\uDE00","","",false]],false]"#)
        #expect(state.entries[0].original == bytes("\"\\/\u{8}\u{c}\n\r\t\0\u{e9}\u{1F600}"))
    }

    @Test func commandsAndPlatformRules() throws {
        let json = """
            {"platform_rules":["(a)"],"fs":[],"blocked_commands":[],"allowed_commands":["git","l\\u0073"],\
            "net_blocked":false}
            """
        let state = try read(json)
        #expect(state.allowedCommands == [bytes("git"), bytes("ls")])
        #expect(state.blockedCommands.isEmpty)
        #expect(state.platformRules == [bytes("(a)")])
    }

    @Test(arguments: [
        (#"{"allowed_commands":{}"#, "invalid type: map, expected a sequence at line 1 column 20"),
        (#"{"blocked_commands":null"#, "invalid type: null, expected a sequence at line 1 column 24"),
        (#"{"platform_rules":["a",1]"#, "invalid type: integer `1`, expected a string at line 1 column 24"),
        (#"{"platform_rules":["a",]"#, "trailing comma at line 1 column 24"),
        (#"{"platform_rules":[],"platform_rules" :[]"#, "duplicate field `platform_rules` at line 1 column 38"),
        (#"{"allowed_commands":[]}"#, "missing field `fs` at line 1 column 23"),
        (#"[[],true,[]]"#, "trailing characters at line 1 column 10"),
    ])
    func badCommandsAndPlatformRules(json: String, expected: String) {
        #expect(failure(json) == "Invalid JSON: " + expected)
    }

    @Test(arguments: [
        ([0x80], "expected value at line 1 column 1"),
        ([0x22, 0x80, 0x22], "invalid unicode code point at line 1 column 3"),
        ([0x22, 0xC3], "EOF while parsing a string at line 1 column 2"),
        ([0x22, 0xED, 0xA0, 0x80, 0x22], "invalid unicode code point at line 1 column 5"),
        (bytes(#"{"x":""#) + [0xFF, 0x22], "invalid unicode code point at line 1 column 8"),
        ([0x7B, 0x22, 0xFF, 0x22], "invalid unicode code point at line 1 column 4"),
        ([0x00], "expected value at line 1 column 1"),
    ])
    func invalidUTF8(json: [UInt8], expected: String) {
        #expect(failure(json) == "Invalid JSON: " + expected)
    }

    /// What cannot be seen on its own is escaped: no difference to the original on any code point.
    @Test(arguments: [
        ("\u{e9}", "\u{e9}"), ("\u{1F600}", "\u{1F600}"), ("'", "'"), ("\u{7f}", "\\u{7f}"), ("\u{85}", "\\u{85}"),
        ("\u{a0}", "\\u{a0}"), ("\u{ad}", "\\u{ad}"), ("\u{301}", "\\u{301}"), ("a\u{301}", "a\\u{301}"),
        ("\u{200b}", "\\u{200b}"), ("\u{2028}", "\\u{2028}"), ("\u{3000}", "\\u{3000}"), ("\u{e000}", "\\u{e000}"),
        ("\u{378}", "\\u{378}"), ("\u{903}", "\u{903}"), ("\u{ff9e}", "\\u{ff9e}"), ("\u{fffd}", "\u{fffd}"),
        ("\u{10ffff}", "\\u{10ffff}"),
    ])
    func invisibleCharacters(text: String, shown: String) {
        let column = text.utf8.count + 3
        #expect(
            failure("[\"\(text)\"]")
                == "Invalid JSON: invalid type: string \"\(shown)\", expected a sequence at line 1 column \(column)")
    }

    @Test(arguments: [
        ("-0", "-0.0"), ("0.0", "0.0"), ("100.0", "100.0"), ("1e-5", "0.00001"), ("1e-6", "1e-6"), ("15e-8", "1.5e-7"),
        ("9999999999999998.0", "9999999999999998.0"), ("1e16", "1e+16"), ("5e-324", "5e-324"), ("1e-400", "0.0"),
        ("12345678901234567.0", "1.2345678901234568e+16"), ("18446744073709551616", "1.8446744073709552e+19"),
        ("-9223372036854775809", "-9.223372036854776e+18"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("2.2250738585072011e-308", "2.225073858507201e-308"), ("0e99999999999", "0.0"), ("0.3e1", "3.0"),
    ])
    func floatingPoint(number: String, shown: String) {
        #expect(
            failure("[\(number)]")
                == "Invalid JSON: invalid type: floating point `\(shown)`, expected a sequence at line 1 column "
                + "\(number.utf8.count + 1)")
    }

    @Test(arguments: [
        ("18446744073709551615", "integer `18446744073709551615`"),
        ("-9223372036854775808", "integer `-9223372036854775808`"),
    ])
    func integers(number: String, shown: String) {
        #expect(
            failure("[\(number)]")
                == "Invalid JSON: invalid type: \(shown), expected a sequence at line 1 column \(number.utf8.count + 1)"
        )
    }

    /// The error is where one knows: behind the number, or behind the digit that takes an exponent out of 32 bits.
    @Test(arguments: [("1e309", 6), ("-1e2147483647", 14), ("1e+2147483648", 14), ("1e21474836480000", 13)])
    func numbersOutOfRange(number: String, column: Int) {
        #expect(failure("[\(number)]") == "Invalid JSON: number out of range at line 1 column \(column)")
    }

    @Test func deepNesting() throws {
        let depth = 1_000_000
        let lists = [UInt8](repeating: UInt8(ascii: "["), count: depth)
        let closed = lists + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        #expect(try SandboxState(json: bytes(#"{"x":"#) + closed + bytes(#","fs":[],"net_blocked":false}"#)) == .init())
        #expect(
            failure(bytes(#"{"x":"#) + lists)
                == "Invalid JSON: EOF while parsing a list at line 1 column \(depth + 5)")
        let objects = bytes(String(repeating: #"{"":"#, count: depth))
        #expect(
            failure(bytes(#"{"x":"#) + objects)
                == "Invalid JSON: EOF while parsing a value at line 1 column \(objects.count + 5)")
    }

    @Test func positionsCountLinesAndBytes() {
        #expect(failure("{\n\n \"\u{e9}\" 1}") == "Invalid JSON: expected `:` at line 3 column 7")
        #expect(failure("[[],\n") == "Invalid JSON: EOF while parsing a value at line 2 column 0")
    }
}

@Suite struct SandboxStateWritingTests {
    @Test func emptyState() throws {
        #expect(try text(SandboxState()) == "{\n  \"fs\": [],\n  \"net_blocked\": false\n}")
    }

    @Test func everyField() throws {
        var state = SandboxState()
        state.entries = [
            .init(original: bytes("l1"), resolved: bytes("/srv/d"), access: .mode(.readWrite), isFile: false),
            .init(original: bytes("/f"), resolved: bytes("/f"), access: .mode(.read), isFile: true),
        ]
        state.networkBlocked = true
        state.allowedCommands = [bytes("git")]
        state.blockedCommands = [bytes("rm"), bytes("dd")]
        state.platformRules = [bytes("(allow \"x\")")]
        let expected = #"""
            {
              "fs": [
                {
                  "original": "l1",
                  "resolved": "/srv/d",
                  "access": "read+write",
                  "is_file": false
                },
                {
                  "original": "/f",
                  "resolved": "/f",
                  "access": "read",
                  "is_file": true
                }
              ],
              "net_blocked": true,
              "allowed_commands": [
                "git"
              ],
              "blocked_commands": [
                "rm",
                "dd"
              ],
              "platform_rules": [
                "(allow \"x\")"
              ]
            }
            """#
        #expect(try text(state) == expected)
        #expect(try SandboxState(json: json(state)) == state)
    }

    @Test func escapes() throws {
        var state = SandboxState()
        let path = bytes("\"\\/\u{8}\u{c}\n\r\t\0\u{1}\u{1f}\u{7f}\u{80}\u{e9}\u{2028}\u{1F600}")
        state.entries = [.init(original: path, resolved: [], access: .unknown([]), isFile: false)]
        let shown = #""\"\\/\b\f\n\r\t\u0000\u0001\u001f"# + "\u{7f}\u{80}\u{e9}\u{2028}\u{1F600}\""
        let written = try json(state)
        // As bytes: Strings are equal in more than one spelling.
        let start = bytes("{\n  \"fs\": [\n    {\n      \"original\": \(shown),\n")
        #expect(Array(written.prefix(start.count)) == start)
        #expect(try SandboxState(json: written) == state)
    }

    /// Every byte at every place of a text, since texts are looked at in words of eight bytes.
    @Test func everyByteAtEveryPlace() throws {
        for length in 1...17 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var path = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    path[place] = byte
                    var state = SandboxState()
                    state.entries = [.init(original: path, resolved: path, access: .mode(.read), isFile: false)]
                    guard byte < 0x80 else {
                        #expect(throws: NonoError.self) { try json(state) }
                        var unreadable = try json(SandboxState())
                        unreadable.insert(contentsOf: [UInt8(ascii: "\"")] + path + bytes("\": 1, "), at: 1)
                        #expect(throws: NonoError.self) { try SandboxState(json: unreadable) }
                        continue
                    }
                    let written = try json(state)
                    #expect(try SandboxState(json: written) == state)
                    let decoded = try JSONDecoder().decode(Decoded.self, from: Data(written))
                    #expect(Array(decoded.fs[0].original.utf8) == path)
                    #expect(Array(decoded.fs[0].resolved.utf8) == path)
                    let raw = bytes("{\"fs\":[[\"") + path + bytes("\",\"\",\"read\",true]],\"net_blocked\":true}")
                    let isPlain = byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                    #expect(failure(raw) == nil || !isPlain)
                    #expect((try? SandboxState(json: raw))?.entries[0].original == (isPlain ? path : nil))
                }
            }
        }
    }

    private struct Decoded: Decodable {
        struct Entry: Decodable {
            let original: String
            let resolved: String
        }
        let fs: [Entry]
    }

    /// Longer than what is set aside for it, and with the texts that are kept once in any order.
    @Test func longTexts() throws {
        let path = [UInt8](repeating: 1, count: 5000)
        var state = SandboxState()
        for access: SandboxState.Entry.Access in [.mode(.write), .mode(.readWrite), .unknown(path), .mode(.read)] {
            state.entries.append(.init(original: path, resolved: path, access: access, isFile: true))
            state.entries.append(.init(original: [], resolved: path, access: access, isFile: false))
            state.entries.append(.init(original: path, resolved: [], access: access, isFile: false))
        }
        #expect(try SandboxState(json: json(state)) == state)
        let mixed = try SandboxState(
            json: bytes(
                """
                {"net_blocked": false, "fs": [
                  {"original": "/a", "resolved": "/b", "access": "read", "is_file": true},
                  {"resolved": "/a", "original": "/b", "access": "\\u0072ead", "is_file": true},
                  {"resolved": "", "access": "read+", "original": "/c", "is_file": true},
                  {"resolved": "\\/c", "access": "read+write", "original": "/c", "is_file": true}]}
                """))
        #expect(
            mixed.entries == [
                .init(original: bytes("/a"), resolved: bytes("/b"), access: .mode(.read), isFile: true),
                .init(original: bytes("/b"), resolved: bytes("/a"), access: .mode(.read), isFile: true),
                .init(original: bytes("/c"), resolved: [], access: .unknown(bytes("read+")), isFile: true),
                .init(original: bytes("/c"), resolved: bytes("/c"), access: .mode(.readWrite), isFile: true),
            ])
    }

    @Test func pathsThatAreNotUTF8() {
        var state = SandboxState()
        state.entries = [.init(original: bytes("/a"), resolved: [0x2F, 0xFF], access: .mode(.read), isFile: false)]
        let expected =
            "Configuration parse error: Failed to serialize sandbox state: path contains invalid UTF-8 characters"
        let error = #expect(throws: NonoError.self) { try json(state) }
        #expect(error?.message == expected)
        #expect(error?.code == .configParse)
    }

    @Test func otherTextsThatAreNotUTF8() {
        var state = SandboxState()
        state.platformRules = [[0xFF]]
        let error = #expect(throws: NonoError.self) { try json(state) }
        #expect(
            error?.message
                == "Configuration parse error: Failed to serialize sandbox state: "
                + "text contains invalid UTF-8 characters")
    }
}
