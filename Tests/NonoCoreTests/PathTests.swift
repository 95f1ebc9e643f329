// SPDX-License-Identifier: Apache-2.0

import NonoCore
import Testing

@Suite struct PathTests {
    /// Bytes are looked at in words of eight.
    @Test func aNULByteIsFoundAnywhere() {
        for length in 0..<20 {
            for filler: UInt8 in [1, 0x7f, 0x80, 0xff] {
                let path = [UInt8](repeating: filler, count: length)
                #expect(!Path(path).hasNUL)
                for place in path.indices {
                    var holed = path
                    holed[place] = 0
                    #expect(Path(holed).hasNUL)
                }
            }
        }
    }

    @Test(arguments: [
        ("/", "/"), ("//", "/"), ("///tmp//", "/tmp"), ("/tmp/.", "/tmp"), ("/./tmp", "/tmp"), ("/a/./b/", "/a/b"),
        ("/a/../b", "/a/../b"), ("./d", "./d"), (".", "."), ("d/./e", "d/e"), ("..", ".."), ("", ""), ("a//b/", "a/b"),
        ("/...", "/..."),
    ])
    func normalSpelling(text: String, expected: String) {
        #expect(Path(text).lexicallyNormal == Path(expected))
    }

    @Test func namesAreComparedAsBytes() {
        let composed = Path("/tmp/\u{e9}")
        let decomposed = Path("/tmp/e\u{301}")
        #expect(composed.text == decomposed.text, "equal as Swift strings, which is why paths are not strings")
        #expect(composed != decomposed)
        #expect(!composed.sameComponents(as: decomposed))
    }

    @Test func spellingsOfOnePath() {
        #expect(Path("/usr/").sameComponents(as: Path("//usr/.")))
        #expect(!Path("./usr").sameComponents(as: Path("usr")))
        #expect(!Path("/usr/../usr").sameComponents(as: Path("/usr")))
    }

    @Test func invalidUTF8IsShownAsReplacement() {
        #expect(Path([0x2f, 0xff, 0x61]).text == "/\u{fffd}a")
    }
}
