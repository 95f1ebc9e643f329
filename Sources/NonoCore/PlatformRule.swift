// SPDX-License-Identifier: Apache-2.0

/// A rule for the macOS sandbox, in that sandbox's own language, which grants no operation on the whole file system.
///
/// The language, SBPL, is TinyScheme, and a rule becomes part of the profile as it stands. What a rule grants is
/// therefore known only as far as it is literal; whatever could compute a grant, or be split into tokens in two ways,
/// is refused. The check is the same on every system, so that a program fails where it is written.
public struct PlatformRule: Equatable, Sendable {
    /// The rule as it was given, white space around it included.
    public let text: [UInt8]

    /// Checks a rule, which must be UTF-8.
    ///
    /// A NUL may stand where a word may: the system takes the profile as a C string, and whoever makes that string
    /// must refuse a NUL anyway.
    public init(_ text: [UInt8]) throws(NonoError) {
        let rule = String(decoding: text, as: UTF8.self)
        let trimmed = Array(Substring(PlatformRule.trim(rule.unicodeScalars[...])).utf8)
        guard trimmed.first == UInt8(ascii: "(") else {
            throw PlatformRule.error("platform rule must be an S-expression starting with '(': \(rule)")
        }
        var lexer = PlatformRuleLexer(trimmed)
        try lexer.readAll()
        guard PlatformRule.isBalanced(lexer.tokens) else {
            throw PlatformRule.error("platform rule has unbalanced parentheses: \(rule)")
        }
        var checker = PlatformRuleChecker()
        try checker.check(lexer.tokens)
        if let objection = lexer.objection ?? checker.objection {
            throw PlatformRule.error(objection)
        }
        self.text = text
    }

    static func error(_ text: String) -> NonoError {
        NonoError(.sandboxInit, "Sandbox initialization failed: " + text, diagnostic: .configurationError)
    }

    private static func trim(_ text: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView {
        var text = text
        while let first = text.first, isSpace(first) {
            text.removeFirst()
        }
        while let last = text.last, isSpace(last) {
            text.removeLast()
        }
        return text
    }

    /// White_Space of Unicode, which will not change any more (PropList.txt).
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    private static func isBalanced(_ tokens: [PlatformRuleLexer.Token]) -> Bool {
        var depth = 0
        for token in tokens {
            switch token {
            case .open: depth += 1
            case .close: depth -= 1
            case .word, .string: continue
            }
            if depth < 0 {
                return false
            }
        }
        return depth == 0
    }
}
