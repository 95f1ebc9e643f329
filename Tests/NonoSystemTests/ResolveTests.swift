// SPDX-License-Identifier: Apache-2.0

import Foundation
import NonoCore
import NonoSystem
import Testing

/// A folder of its own with files, folders and links of every kind, removed at the end.
private final class Tree {
    let root: String

    init() throws {
        let made = NSTemporaryDirectory() + "nono-resolve-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: made, withIntermediateDirectories: true)
        root = try #require(realpath(made, nil).map { String(cString: $0) })
        for directory in ["d", "d/sub", "d/sub/deep", "e"] {
            mkdir("\(root)/\(directory)", 0o755)
        }
        for file in ["f", "d/f", "d/sub/f"] {
            #expect(FileManager.default.createFile(atPath: "\(root)/\(file)", contents: Data()))
        }
        let links = [
            "ld": "d", "lf": "f", "dangling": "nothing/there", "self": "self", "a": "b", "b": "a", "up": "..",
            "chain": "ld/sub", "absolute": "\(root)/d/sub", "d/out": "../e", "slash": "d/",
            "d/sub/back": "../../d/./sub",
            "tofile": "f/", "root": "/",
        ]
        for (name, target) in links {
            symlink(target, "\(root)/\(name)")
        }
        mkfifo("\(root)/fifo", 0o600)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)
    }
}

/// What realpath(3) says: a path, or an errno.
private func reference(_ path: [UInt8]) -> Result<[UInt8], POSIXError> {
    var terminated = path.map { CChar(bitPattern: $0) } + [0]
    guard let resolved = realpath(&terminated, nil) else {
        return .failure(POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL))
    }
    defer { free(resolved) }
    return .success((0..<strlen(resolved)).map { UInt8(bitPattern: resolved[$0]) })
}

@Suite(.serialized) struct ResolveTests {
    @Test func agreesWithRealpath() throws {
        let tree = try Tree()
        var random = SystemRandomNumberGenerator()
        let names = [
            "d", "sub", "deep", "e", "f", "ld", "lf", "dangling", "self", "a", "up", "chain", "absolute", "out",
            "slash",
            "back", "tofile", "root", "fifo", "missing", ".", "..", "", "..", ".",
        ]
        let previous = FileManager.default.currentDirectoryPath
        #expect(FileManager.default.changeCurrentDirectoryPath(tree.root))
        defer { _ = FileManager.default.changeCurrentDirectoryPath(previous) }
        var found = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...5, using: &random)
            var text = (0..<count).map { _ in names.randomElement(using: &random)! }.joined(separator: "/")
            text = Bool.random(using: &random) ? "\(tree.root)/\(text)" : text
            let path = Path(text)
            switch (Result { () throws(NonoError) in try resolve(path) }, reference(path.bytes)) {
            case (.success(let ours), .success(let theirs)):
                found += 1
                #expect(ours.path.bytes == theirs, "\(text)")
                var status = stat()
                #expect(stat(text, &status) == 0 && ours.identity.inode == UInt64(status.st_ino), "\(text)")
            case (.failure(let ours), .failure(let theirs)):
                #expect(ours.osError == theirs.code.rawValue, "\(text): \(ours.message)")
            case (.success, .failure(let theirs)):
                Issue.record("\(text) resolves, realpath fails with \(theirs.code)")
            case (.failure(let ours), .success):
                Issue.record("\(text): \(ours.message), realpath resolves it")
            }
        }
        #expect(found > 1000, "most paths lead nowhere, but enough must")
    }

    @Test(arguments: [
        ("", ENOENT), ("/nope", ENOENT), ("/etc/passwd/", ENOTDIR), ("/etc/passwd/x", ENOTDIR),
        ("/etc/passwd/..", ENOTDIR), ("/" + String(repeating: "n", count: 256), ENAMETOOLONG),
        (String(repeating: "/n", count: 2500), ENOENT), (String(repeating: "n", count: 5000), ENAMETOOLONG),
        ("~", ENOENT),
    ])
    func failures(text: String, osError: Int32) {
        let error = #expect(throws: NonoError.self) { try resolve(Path(text)) }
        #expect(error?.osError == osError)
        #expect(error?.path == Path(text))
        #expect(error?.code == (osError == ENOENT ? .pathNotFound : .pathCanonicalization))
        if osError == ENOENT {
            #expect(error?.message == "Path does not exist: \(text)")
        } else {
            let reason = String(cString: strerror(osError))
            #expect(error?.message == "Failed to canonicalize path \(text): \(reason) (os error \(osError))")
        }
    }

    @Test func aNULByteIsNoPath() {
        let error = #expect(throws: NonoError.self) { try resolve(Path([0x2f, 0, 0x61])) }
        #expect(error?.code == .pathCanonicalization)
        #expect(
            error?.message
                == "Failed to canonicalize path /\0a: file name contained an unexpected NUL byte")
    }

    @Test func bytesThatAreNotText() throws {
        let tree = try Tree()
        let name = Array(tree.root.utf8) + [0x2f, 0xff, 0xfe]
        var terminated = name.map { CChar(bitPattern: $0) } + [0]
        #expect(mkdir(&terminated, 0o755) == 0)
        #expect(try resolve(Path(name)).path.bytes == name)
    }
}

@Suite struct LocateTests {
    @Test func missingPartsStandForThemselves() throws {
        let tree = try Tree()
        let cases = [
            ("nope", "/nope"), ("ld/nope/x", "/d/nope/x"), ("d/nope/../x", "/d/x"), ("d/nope/../sub/f", "/d/sub/f"),
            ("d/nope/../../f", "/f"), ("ld/../nope", "/nope"), ("dangling", "/nothing/there"),
            ("dangling/x", "/nothing/there/x"), ("f/x", "/f/x"), ("self", "/self"), ("self/x", "/self/x"),
            ("d/nope/../ld", "/d/ld"), ("nope/../ld/x", "/d/x"), ("d/nope/./y/", "/d/nope/y"),
        ]
        for (text, expected) in cases {
            #expect(locate(Path("\(tree.root)/\(text)"))?.text == tree.root + expected, "\(text)")
        }
        #expect(locate(Path("")) == nil)
        #expect(locate(Path("\(tree.root)/d/nope/../../../../../../../../etc/passwd")) == Path("/etc/passwd"))
        #expect(locate(Path(Array("/a".utf8) + [0] + Array("b/../c".utf8))) == Path("/c"))
        let long = "/" + String(repeating: "n", count: 5000)
        #expect(locate(Path(long)) == Path(long))
    }

    @Test func whatExistsIsResolved() throws {
        let tree = try Tree()
        for name in ["d", "ld/sub/f", "chain", "absolute/deep", "lf", "fifo", "root", "d/out"] {
            let path = Path("\(tree.root)/\(name)")
            #expect(try locate(path) == resolve(path).path, "\(name)")
        }
    }
}
