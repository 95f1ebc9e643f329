// SPDX-License-Identifier: Apache-2.0

import Foundation
import NonoCore
import Testing

/// What there is to report of a command, without what every report has around it.
private func observations(
    _ stderr: [UInt8], exitCode: Int32 = 1, caps: CapabilitySet = CapabilitySet(), workingDirectory: String? = "/proc",
    directories: Set<String> = []
) throws -> String {
    let json = SessionDiagnostics.report(
        exitCode: exitCode, stderr: stderr, caps: caps, workingDirectory: workingDirectory.map { Path($0) },
        locate: { Path(URL(filePath: $0.text).standardized.path()) }, isDirectory: { directories.contains($0.text) })
    var frame = String(
        decoding: try SessionDiagnostics.report(exitCode: exitCode, denials: [], ipcDenials: [], violations: []),
        as: UTF8.self)
    let text = String(decoding: json, as: UTF8.self)
    let start = try #require(frame.range(of: "\"diagnostics\":[")).upperBound
    let head = String(frame[..<start])
    frame.removeSubrange(..<start)
    try #require(text.hasPrefix(head) && text.hasSuffix(frame))
    let inner = text.dropFirst(head.count).dropLast(frame.count)
    return String(inner.last == "," ? inner.dropLast() : inner)
}

private func observations(_ stderr: String, caps: CapabilitySet = CapabilitySet()) throws -> String {
    try observations(Array(stderr.utf8), caps: caps)
}

@Suite struct StderrReportTests {
    private struct Case: Decodable {
        let stderr: String?
        let stderr_hex: String?
        let exit_code: Int32?
        let grants: [Grants]?
        let network_blocked: Bool?
        let cwd: String?
        let directories: Set<String>?
        let original: String
        let ours: String?
        let difference: String?

        struct Grants: Decodable {
            let path: String
            let access: String
            let isFile: Bool

            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                path = try list.decode(String.self)
                access = try list.decode(String.self)
                isFile = try list.decode(Bool.self)
            }
        }

        func bytes() throws -> [UInt8] {
            if let stderr {
                return Array(stderr.utf8)
            }
            let digits = Array(try #require(stderr_hex))
            return try stride(from: 0, to: digits.count, by: 2).map {
                try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16))
            }
        }
    }

    /// What the original 0.16.0 answered, and, where it is wrong, what is answered instead.
    @Test func answersOfTheOriginal() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Data/session-diagnostics.jsonl")
        let lines = try Data(contentsOf: file).split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 819)
        for line in lines {
            let sample = try JSONDecoder().decode(Case.self, from: line)
            var caps = CapabilitySet()
            for grants in sample.grants ?? [] {
                let access = try #require(AccessMode(text: Array(grants.access.utf8)))
                caps.add(try grant(grants.path, access, isFile: grants.isFile))
            }
            if sample.network_blocked == true {
                caps.network = .blocked
            }
            let answer = try observations(
                sample.bytes(), exitCode: sample.exit_code ?? 1, caps: caps, workingDirectory: sample.cwd ?? "/proc",
                directories: sample.directories ?? [])
            #expect(answer == sample.ours ?? sample.original, "for \(sample.stderr ?? sample.stderr_hex ?? "")")
            #expect((sample.ours == nil) == (sample.difference == nil))
            #expect(sample.ours != sample.original)
        }
    }

    @Test func bothEndsOfALongOutputAreRead() throws {
        let first = "cat: /first: Permission denied\n"
        let middle = String(repeating: "x\n", count: 40000) + "cat: /middle: Permission denied\n"
        let filler = String(repeating: "y\n", count: 40000)
        let last = "cat: /last: Permission denied"
        let answer = try observations(first + middle + filler + last)
        #expect(answer.contains("\"/first\""))
        #expect(!answer.contains("/middle"))
        #expect(answer.contains("\"/last\""))
    }

    /// A path that is cut off is another path.
    @Test(arguments: [65535, 65540, 65560, 65580])
    func endsAreCutBetweenLines(length: Int) throws {
        let line = "Permission denied: '/a/long/path'\n"
        let head = String(repeating: "x", count: length - 16) + "\n" + line
        let tail = "\n" + line.replacing("a", with: "b")
        let answer = try observations(head + String(repeating: "y", count: 200_000) + tail)
        for part in answer.split(separator: "\"path\":\"").dropFirst() {
            #expect(part.hasPrefix("/a/long/path\"") || part.hasPrefix("/b/long/pbth\""), "\(part)")
        }
    }

    @Test func anyBytesAreSurvived() throws {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "permission denied", ": ", "'", "\"", "`", "\u{2018}", "\u{2019}", "/", "~/", "a", " ", "cannot create ",
            "\n", "\r", "no such file or directory", "://", " to /", "(", ")", "[", "]", ", ", "\u{0}", " at ", "->",
            " - ",
        ]
        for _ in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...30, using: &generator) {
                bytes += Array(pieces.randomElement(using: &generator)!.utf8)
                if Int.random(in: 0..<8, using: &generator) == 0 {
                    bytes.append(UInt8.random(in: 0...255, using: &generator))
                }
            }
            let answer = try observations(bytes)
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data("[\(answer)]".utf8)) }
        }
    }

    @Test func withoutAWorkingDirectory() throws {
        let relative = Array("sh: 1: cannot create x: Permission denied\n".utf8)
        #expect(try observations(relative, workingDirectory: nil) == "")
        #expect(try observations(relative, workingDirectory: "/srv").contains("\"path\":\"/srv/x\""))
    }
}
