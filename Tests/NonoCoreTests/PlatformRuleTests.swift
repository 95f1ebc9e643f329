// SPDX-License-Identifier: Apache-2.0

import NonoCore
import Testing

/// What is said about a rule, without the prefix that every message has; nil if it is accepted.
private func refusal(_ rule: String) -> String? {
    do {
        let accepted = try PlatformRule(Array(rule.utf8))
        #expect(accepted.text == Array(rule.utf8))
        return nil
    } catch {
        let prefix = "Sandbox initialization failed: "
        #expect(error.code == .sandboxInit)
        #expect(error.diagnostic == .configurationError)
        #expect(error.message.hasPrefix(prefix))
        return String(error.message.dropFirst(prefix.count))
    }
}

private let rootRead = "platform rule must not grant root-level read access"
private let rootWrite = "platform rule must not grant root-level write access"
private let notAList = "platform rule must be an S-expression starting with '(': "
private let unbalanced = "platform rule has unbalanced parentheses: "
private let noOperation = "platform rule must name the operations that it allows"
private let noFilter = "platform rule must not allow a group of operations, or the network, without a filter"

@Suite struct PlatformRuleSyntaxTests {
    @Test(arguments: ["", " ", "x", "foo (x)", ";c\n(x)", "#||#(x)", "\"(\"", "\u{FEFF}(x)", "\0(x)", ")("])
    func mustStartWithAList(rule: String) {
        #expect(refusal(rule) == notAList + rule)
    }

    @Test(arguments: ["(x)", " \t(x)\n", "\u{A0}\u{3000}\u{2028}(x)\u{85}\u{1680}\u{200A}", "\u{0B}(x)\u{0C}"])
    func trimsUnicodeWhiteSpace(rule: String) {
        #expect(refusal(rule) == nil)
    }

    @Test(arguments: [
        "(", "(x", "(x))", "(x))(", "(x ;)\n", "(x #|)|#", "(x \")\"", "(x \")\" \")\"", "(deny x\u{3000}",
    ])
    func parenthesesMustMatch(rule: String) {
        #expect(refusal(rule) == unbalanced + rule)
    }

    @Test(arguments: ["(x \"(\" )", "(x \")\" )", "(x) ; )", "(x #|)|#)", "(x \"\\\")\")"])
    func parenthesesInStringsAndCommentsDoNotCount(rule: String) {
        #expect(refusal(rule) == nil)
    }

    @Test(arguments: ["(#|", "(x)#|#", "(#| |", "(allow default #|", ")) #|"].map { "(x)" + $0 })
    func blockCommentMustEnd(rule: String) {
        #expect(refusal(rule) == "platform rule has unterminated block comment")
    }

    @Test(arguments: ["(x \"", "(x \"\\", "(x \"\\\")", "(a\"b\"c\"d)", "(x))\"", "(x #\"\\\")"])
    func stringMustEnd(rule: String) {
        #expect(refusal(rule) == "platform rule has unterminated string")
    }

    @Test func theFirstTokenErrorIsTheOneReported() {
        #expect(refusal("(x #| \" )") == "platform rule has unterminated block comment")
        #expect(refusal("(x \" #| )") == "platform rule has unterminated string")
    }

    @Test(arguments: [
        "(a 'b)", "(a '(b))", "(a `(b))", "(a ,b)", "(a . b)", "(a;b\n)", "(a#||#)", "(#(a))", "(#!a\n)", "(#\\a)",
        "(# a)",
        "(#)", "(a|b)", "(a\u{0B}b)", "(a\u{0C}b)", "(a\"b\")", "(#a\"b\")", "(a\u{A0}b)", "(\u{E9})", "(a::b)", "(%a)",
        "([a])", "(x)\u{FEFF}", "(a\\b)", "(\u{212A})",
    ])
    func wordsMustBePlain(rule: String) {
        #expect(refusal(rule)?.hasPrefix("platform rule has an unsupported word: ") == true)
    }

    @Test func wordsMustFitTheReadersBuffer() {
        #expect(refusal("(" + String(repeating: "a", count: 128) + ")") == nil)
        #expect(refusal("(" + String(repeating: "a", count: 129) + ")") != nil)
    }

    /// What is a comment or a string to one reader must not be code to another.
    @Test(arguments: [
        "(x ;\r (allow default)\n)", "(x #|# (allow default) |#)", "(x #| #| |# \"|# (allow default) ;\"\n)",
        "(x \"\\x (allow default) \")", "(x \"\\7\")", "(x \"\\n\")", "(x #\"\\\" (allow default) ;\")",
        "(x #\"\\\\\")",
        "(x a\" (allow default) b\")", "(x #!\" \n (allow default) ;\"\n)", "(x #\\\" (allow default) #\\\")",
    ])
    func ambiguousSpellingsAreRefused(rule: String) {
        #expect(refusal(rule) != nil)
    }

    @Test(arguments: [
        "()", "(x)(y)", "(x) y", "(version 1)", "(debug deny)", "(x #t #o0004 -1.5)", "(x \"\\\\ \\\" \\. \u{E9}\")",
        "(x #\"\\.\")", "(x #| c |#)", "(x ; 'c' \"\r\n)", "(x \"\0\")", "(x)\0", "(x \"import\" \"no-sandbox\")",
    ])
    func harmlessRulesAreAccepted(rule: String) {
        #expect(refusal(rule) == nil)
    }

    @Test func depthAndLengthDoNotMatter() {
        let count = 1_000_000
        let open = String(repeating: "(", count: count)
        let close = String(repeating: ")", count: count)
        #expect(refusal(open + close) == nil)
        #expect(refusal(open + close + ")") == unbalanced + open + close + ")")
        #expect(refusal(open + "allow default" + close) == rootRead)
        let filters = String(repeating: "(require-any ", count: count / 10)
        let end = String(repeating: ")", count: count / 10 + 1)
        #expect(refusal("(allow file* " + filters + "(subpath \"/opt\")" + end) == nil)
        #expect(refusal("(allow file* " + filters + "(subpath \"/\")" + end) == rootRead)
        #expect(refusal("(x" + String(repeating: " \"\\\\\" a", count: count / 10) + ")") == nil)
    }
}

@Suite struct PlatformRuleGrantTests {
    /// What 0.4.0 refuses, too.
    @Test(arguments: [
        "(allow file-read* (subpath \"/\"))", "(allow file-read*(subpath \"/\"))", "(allow file-read* (subpath /))",
        "(allow file-read* (subpath \"\\/\"))", "(allow\u{0C}file-read*\n(subpath\r\"/\"))",
        "(x \"allow\" \"file-read*\" \"subpath\" \"/\")",
        "(allow #|c|# file-read* ;c\n (subpath \"/\"))", "(deny default)(allow file-read* (subpath \"/\"))",
        "(import \"x\") (x allow) ((file-read* subpath) /)",
    ])
    func recordedReadGrants(rule: String) {
        #expect(refusal(rule) == rootRead)
    }

    @Test func recordedWriteGrants() {
        #expect(refusal("(allow file-write* (subpath \"/\"))") == rootWrite)
        #expect(refusal("(allow file-write* (subpath \"/\"))(allow file-read* (subpath \"/\"))") == rootWrite)
    }

    @Test(arguments: [
        "(allow default)", "(ALLOW Default)", "(allow *)", "(allow default (subpath \"/opt\"))", "(allow \"default\")",
        "(allow file*)", "(allow file-read*)", "(Allow FILE-READ* (SubPath \"/\"))", "(allow file-read-data)",
        "(allow file-read-metadata (literal \"/\"))", "(allow file-ioctl)", "(allow file-map-executable)",
        "(allow file* (subpath \"/\"))", "(allow file-read* file-write* (subpath \"/\"))",
        "(allow file-read*;x\n(subpath \"/\"))",
        "(allow file-read*#||#(subpath \"/\"))", "(allow mach-lookup file-read* (subpath \"/\"))",
        "(allow (with report) file-read* (subpath \"/\"))", "(allow file-read* (with report))",
        "(allow (subpath \"/\") file-read*)", "(deny default (allow file-read*))", "((allow file-read*))",
        "(if #t (allow default))", "(begin (begin (allow file-read*)))", "(x) (y (z (allow file-read*)))",
        "(with-filter (subpath \"/opt\") (allow file-read*))",
        "(allow file-read* (allow file-read* (subpath \"/opt\")))",
    ])
    func wideReadGrants(rule: String) {
        #expect(refusal(rule) == rootRead)
    }

    @Test(arguments: ["(allow file-write*)", "(allow file-write-data (literal \"/\"))", "(allow file-write-create)"])
    func wideWriteGrants(rule: String) {
        #expect(refusal(rule) == rootWrite)
    }

    @Test(arguments: [
        "()", "(subpath)", "(subpath \"\")", "(subpath \"//\")", "(subpath \"/.\")", "(subpath \"/./\")",
        "(subpath \"/..\")",
        "(subpath \"/tmp/..\")", "(subpath \"/tmp/../\")", "(subpath \"/opt/link/../x\")", "(subpath \"/.\\./\")",
        "(subpath \"opt\")", "(subpath opt)", "(subpath \"/${HOME}\")", "(subpath \"/opt\" \"/\")",
        "(subpath (param \"HOME\"))",
        "(subpath \"/opt\" (param \"HOME\"))", "(subpath (string-append \"/\" \"\"))", "(subpath #\"/\")",
        "(subpath #\"/\\x2f\")",
        "(\"subpath\" \"/opt\")", "((subpath) \"/opt\")", "((x) subpath \"/opt\")", "(literal \"/\")",
        "(literal #|\"/opt\"|# \"/\")",
        "(prefix \"/\")",
        "(home-subpath \"/opt\")", "(subpath \"/tmp\") (subpath \"/\")", "(subpath \"/\") (subpath \"/tmp\")",
        "(require-any)", "(require-any (subpath \"/\"))", "(require-any (subpath \"/opt\") (literal \"/\"))",
        "(require-any (subpath \"/opt\") x)", "(require-all)", "(require-all (subpath \"/\") (regex \"^/\"))",
        "(require-all (require-not (subpath \"/opt\")))",
        "(require-all (require-any (subpath \"/opt\") (subpath \"/\")))",
        "(require-not (subpath \"/opt\"))", "(vnode-type REGULAR-FILE)", "(extension \"x\")",
        "(if #t (subpath \"/opt\"))",
        "(regex)", "(regex \"\")", "(regex \"^\")", "(regex \"^/\")", "(regex \"/opt\")", "(regex \"^/*\")",
        "(regex \"^/.*\")",
        "(regex \"^/.\")", "(regex \"^/o?\")", "(regex \"^/o*\")", "(regex \"^/o+*\")", "(regex \"^/o{0}\")",
        "(regex \"^/o\\\\?\")",
        "(regex #\"^/o\\?\")", "(regex \"^/(opt)?\")", "(regex \"^/[opt]\")", "(regex \"^/opt|^/\")",
        "(regex \"^/opt\" \"^/\")",
        "(regex \"^//\")", "(regex \"^/\\\\.\")", "(regex \"^/\u{E9}?\")",
    ])
    func wideFilters(filter: String) {
        #expect(refusal("(allow file-read* \(filter))") == rootRead)
        #expect(refusal("(allow (with report) file-write-data \(filter))") == rootWrite)
        #expect(refusal("(deny file-read* \(filter))") == nil)
    }

    @Test func escapesThatTinySchemeKnowsAreRefused() {
        let expected = "platform rule must not use \\x in a string"
        #expect(refusal("(allow file-read* (subpath \"/opt/\\x2f\"))") == expected)
        #expect(refusal("(allow file-read* (subpath \"\\x2f\"))") == rootRead)
        #expect(refusal("(allow file-read* (subpath \"/\\x2e.\"))") == expected)
    }

    @Test(arguments: [
        "(subpath \"/opt\")", "(subpath \"/opt/\")", "(subpath \"//opt/./x\")", "(subpath \"/..x\")", "(subpath /opt)",
        "(subpath #\"/opt\")", "(subpath \"\\/o\\.pt\")", "(subpath \"/\u{E9}\")",
        "(literal \"/etc/hosts\") (subpath \"/opt\")",
        "(prefix \"/opt/x\")", "(SUBPATH \"/opt\")", "(literal \"/a\" \"/b\") (with no-log)",
        "(require-any (subpath \"/a\") (require-any (literal \"/b\")))",
        "(require-all (subpath \"/a\") (vnode-type DIRECTORY))",
        "(require-all (require-not (literal \"/a/b\")) (require-any (subpath \"/a\")))", "(regex \"^/opt\")",
        "(regex \"^/o\")",
        "(regex #\"^/dev/ttys[0-9]+$\")", "(regex \"^/a/b*\")", "(regex \"^/a.\")",
        "(regex #\"^/opt/.*\\.so$\" #\"^/usr/\")",
    ])
    func narrowFilters(filter: String) {
        #expect(refusal("(allow file-read* \(filter))") == nil)
        #expect(refusal("(allow file* file-write* file-ioctl \(filter))") == nil)
    }

    @Test(arguments: [
        "(allow mach-lookup (global-name \"com.apple.system.logger\"))", "(allow mach-lookup)", "(allow process-exec*)",
        "(allow process-exec (subpath \"/opt\"))", "(allow signal (target self))", "(allow sysctl-read)",
        "(allow network-outbound (remote tcp \"*:443\"))", "(allow network* (local udp \"*:53\"))", "(deny default)",
        "(deny network*)", "(deny file-read* (subpath \"/\"))", "(deny file-write* (with no-report))",
        "(x \"allow\" \"default\")",
        "(allow process-info* (target self))", "(deny mach-lookup (xpc-service-name \"default\"))",
    ])
    func otherOperations(rule: String) {
        #expect(refusal(rule) == nil)
    }

    @Test(arguments: [
        "(allow network*)", "(allow network-outbound)", "(allow network-inbound (with report))", "(allow Network-Bind)",
        "(allow mach*)", "(allow process*)", "(allow iokit* signal)",
    ])
    func groupsNeedAFilter(rule: String) {
        #expect(refusal(rule) == noFilter)
    }

    @Test(arguments: ["(allow)", "(allow (with report))", "(allow (subpath \"/opt\"))", "(allow (car x))"])
    func anOperationMustBeNamed(rule: String) {
        #expect(refusal(rule) == noOperation)
    }

    @Test(arguments: [
        ("(x allow)", "allow"), ("(debug allow)", "allow"), ("((begin allow) signal)", "allow"),
        ("((x) allow signal)", "allow"), ("(x) ALLOW", "allow"),
        ("(allow allow signal)", "allow"), ("(deny allow)", "allow"), ("(for-each allow x)", "allow"),
        ("(x default)", "default"),
        ("(allow signal (begin default))", "default"), ("(allow signal (if #f x FILE-READ*))", "file-read*"),
        ("(x) file*", "file*"),
        ("(allow signal (or network*))", "network*"),
    ])
    func grantsCannotBePassedOn(rule: String, word: String) {
        #expect(refusal(rule) == "platform rule must not use \(word) as a value")
    }

    @Test(arguments: [
        "import", "load", "load-extension", "trace", "eval", "apply", "read", "read-char", "define", "define-macro",
        "macro", "let",
        "let*", "letrec", "lambda", "set!", "set-car!", "set-input-port", "call/cc", "call-with-current-continuation",
        "quote",
        "quasiquote", "string->symbol", "string->atom", "open-input-string", "with-input-from-file", "do", "package",
        "make-closure",
        "*sharp-hook*", "*error-hook*", "quit", "no-sandbox",
    ])
    func wordsThatMakeCodeAreRefused(word: String) {
        let expected = "platform rule must not use \(word)"
        #expect(refusal("(\(word) x)") == expected)
        #expect(refusal("(x (y \(word.uppercased())))") == expected)
        #expect(refusal("(x) \(word)") == expected)
        #expect(refusal("(allow process-exec (with \(word)))") == expected)
        #expect(refusal("(x \"\(word)\")") == nil)
    }

    @Test func aWiderGrantIsReportedFirst() {
        #expect(refusal("(import \"x\") (allow 'x) (allow file-read*)") == rootRead)
        #expect(refusal("(lambda (p) (allow file-write* (subpath p)))") == rootWrite)
        #expect(
            refusal("(let ((subpath x)) (allow file-read* (subpath \"/opt\")))") == "platform rule must not use let")
        #expect(refusal("(define (subpath x) (require-any))") == "platform rule must not use define")
    }
}
