// SPDX-License-Identifier: Apache-2.0

import NonoCore
import Testing

@Suite struct QueryTests {
    @Test func grantsAreUnited() throws {
        let caps = set([try grant("/t", .read), try grant("/t/sub", .readWrite)])
        #expect(
            caps.answer(for: Path("/t/sub/x"), mode: .write) == .allowed(path: Path("/t/sub"), access: .readWrite))
        #expect(caps.answer(for: Path("/t/sub/x"), mode: .read) == .allowed(path: Path("/t"), access: .read))
        #expect(caps.answer(for: Path("/t/x"), mode: .write) == .insufficientAccess(granted: .read))
        #expect(caps.answer(for: Path("/u"), mode: .read) == .notGranted)

        let halves = set([try grant("/b", .read), try grant("/b", .write)])
        #expect(halves.answer(for: Path("/b/x"), mode: .readWrite) == .allowed(path: Path("/b"), access: .readWrite))
        #expect(halves.answer(for: Path("/b/x"), mode: .write) == .allowed(path: Path("/b"), access: .write))
    }

    @Test func aFileCoversItselfOnly() throws {
        let caps = set([try grant("/a/f", .read, isFile: true)])
        #expect(caps.answer(for: Path("/a/f"), mode: .read) == .allowed(path: Path("/a/f"), access: .read))
        #expect(caps.answer(for: Path("/a/f/x"), mode: .read) == .notGranted)
        #expect(caps.answer(for: Path("/a"), mode: .read) == .notGranted)
        #expect(caps.coverage(of: Path("/a/f")).firstDirectory == nil)
    }

    @Test func prefixesAreWholeComponents() throws {
        let caps = set([try grant("/a/b", .read)])
        #expect(caps.answer(for: Path("/a/bc"), mode: .read) == .notGranted)
        #expect(caps.answer(for: Path("/a/b"), mode: .read) == .allowed(path: Path("/a/b"), access: .read))
        let everything = set([try grant("/", .read)])
        #expect(everything.answer(for: Path("/"), mode: .read) == .allowed(path: .root, access: .read))
        #expect(everything.answer(for: Path("/x/y"), mode: .read) == .allowed(path: .root, access: .read))
        #expect(everything.answer(for: Path(""), mode: .read) == .notGranted)
        #expect(everything.answer(for: Path("x"), mode: .read) == .notGranted)
    }

    /// The index against a plain scan, over sets with many grants on the same and on nested paths.
    @Test func agreesWithAScan() throws {
        var random = SystemRandomNumberGenerator()
        let names = ["a", "b", "cc"]
        func path() -> String {
            "/"
                + (0..<Int.random(in: 0...4, using: &random)).map { _ in names.randomElement(using: &random)! }
                .joined(separator: "/")
        }
        let modes: [AccessMode] = [.read, .write, .readWrite]
        for _ in 0..<300 {
            let grants = try (0..<Int.random(in: 0...40, using: &random)).map { _ in
                try grant(path(), modes.randomElement(using: &random)!, isFile: Bool.random(using: &random))
            }
            let caps = set(grants)
            for _ in 0..<20 {
                let subject = path()
                let mode = modes.randomElement(using: &random)!
                #expect(caps.answer(for: Path(subject), mode: mode) == scan(grants, subject, mode))
            }
        }
    }

    private func scan(_ grants: [Grant], _ subject: String, _ mode: AccessMode) -> PathAnswer {
        let covering = grants.filter { grant in
            let path = grant.resolved.text
            return path == subject || (!grant.isFile && (path == "/" || subject.hasPrefix(path + "/")))
        }
        if let grant = covering.first(where: { $0.access.includes(mode) }) {
            return .allowed(path: grant.resolved, access: grant.access)
        }
        guard let first = covering.first else { return .notGranted }
        let access = covering.dropFirst().reduce(first.access) { $0.union($1.access) }
        return access.includes(mode)
            ? .allowed(path: first.resolved, access: access) : .insufficientAccess(granted: access)
    }
}
