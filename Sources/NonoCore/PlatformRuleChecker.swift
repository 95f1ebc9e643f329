// SPDX-License-Identifier: Apache-2.0

/// Looks for grants in the tokens of a platform rule.
///
/// SBPL evaluates the arguments of `allow`, so a form means what it says only while its words keep their meaning. That
/// holds because no word that binds a name, evaluates data or reads other text is accepted, and because `allow` and
/// the operations that matter can be used but not passed on. Every `allow` form can then be judged by itself, wherever
/// it stands.
struct PlatformRuleChecker {
    /// What to say about the first thing, other than a grant on the whole file system, that is refused.
    private(set) var objection: String?

    /// The lists around the current token, outermost first. The bottom stands for the rule as a whole.
    private var forms = [PlatformRuleForm(kind: .other)]
    private var sequence = PlatformRuleSequence()

    /// Throws for a grant on the whole file system, and keeps what else there is to say in `objection`.
    mutating func check(_ tokens: [PlatformRuleLexer.Token]) throws(NonoError) {
        for token in tokens {
            switch token {
            case .open:
                forms[forms.count - 1].startsWithList()
                forms.append(PlatformRuleForm(kind: .empty))
            case .close:
                let form = forms.removeLast()
                try judge(form)
                forms[forms.count - 1].add(form)
            case .word(let word):
                try sequence.next(word)
                add(word)
            case .string(let value):
                try sequence.next(value)
                forms[forms.count - 1].add(atom: value)
            }
        }
    }

    private mutating func add(_ word: Word) {
        let isHead = forms[forms.count - 1].kind == .empty
        if PlatformRuleChecker.isForbidden(word) {
            object("platform rule must not use \(word.text)")
        }
        if isHead {
            forms[forms.count - 1].kind = PlatformRuleForm.Kind(head: word)
            return
        }
        let isOperand = forms[forms.count - 1].kind == .allow || forms[forms.count - 1].kind == .deny
        if word == "allow" || (!isOperand && PlatformRuleOperation(word) != .harmless) {
            object("platform rule must not use \(word.text) as a value")
        }
        forms[forms.count - 1].add(atom: word)
    }

    private mutating func judge(_ form: PlatformRuleForm) throws(NonoError) {
        guard form.kind == .allow else {
            return
        }
        if form.grantsEverything || (form.grantsRead && !form.hasOnlyNarrowFilters) {
            throw PlatformRule.error("platform rule must not grant root-level read access")
        }
        if form.grantsWrite && !form.hasOnlyNarrowFilters {
            throw PlatformRule.error("platform rule must not grant root-level write access")
        }
        if !form.hasOperation {
            object("platform rule must name the operations that it allows")
        }
        if form.needsFilter && form.arguments == 0 {
            object("platform rule must not allow a group of operations, or the network, without a filter")
        }
    }

    /// Whether a word could make a grant out of something else.
    private static func isForbidden(_ word: Word) -> Bool {
        switch word {
        case "no-sandbox":  // A program run under this modifier leaves the sandbox.
            true
        case "import", "include", "trace":  // Other profiles; `trace` allows what it records.
            true
        case "eval", "apply", "expand", "package", "oblist", "gensym":  // Code from data.
            true
        case "quote", "quasiquote", "unquote", "unquote-splicing", "string->symbol", "string->atom":  // Names as data.
            true
        case "do", "lambda", "named-lambda", "case-lambda", "fluid-let", "receive", "make-closure":  // New meanings.
            true
        case "quit", "exit", "emergency-exit":  // The end of the profile, with rules to follow.
            true
        default:
            // let*, define-macro, set-input-port, call/cc, load-extension, read-char, set!, *sharp-hook*, ...
            PlatformRuleChecker.forbiddenPrefixes.contains { word.hasPrefix($0) }
                || word.hasSuffix("!") || word.hasSuffix("-hook*")
        }
    }

    private static let forbiddenPrefixes: [Word] = [
        "define", "let", "macro", "set-", "call/", "call-", "load", "read", "open-", "close-", "with-input-",
        "with-output-",
    ]

    private mutating func object(_ message: String) {
        objection = objection ?? message
    }
}

/// All that version 0.4.0 looks for: four words or strings in a row, wherever the parentheses stand. What it refuses
/// stays refused, in its words.
private struct PlatformRuleSequence {
    private var matched = 0
    private var access = ""

    mutating func next(_ atom: Word) throws(NonoError) {
        switch (matched, atom) {
        case (1, "file-read*"):
            (matched, access) = (2, "read")
        case (1, "file-write*"):
            (matched, access) = (2, "write")
        case (2, "subpath"):
            matched = 3
        case (3, "/"):
            throw PlatformRule.error("platform rule must not grant root-level \(access) access")
        default:
            matched = atom == "allow" ? 1 : 0
        }
    }
}
