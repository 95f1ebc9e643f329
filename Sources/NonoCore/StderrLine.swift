// SPDX-License-Identifier: Apache-2.0

/// One line of the error output of a program, and what its words say.
struct StderrLine {
    /// The words that say that something failed, and where they are.
    struct Failure {
        fileprivate let place: Int
        fileprivate let length: Int
        /// Whether something was not there, rather than refused.
        let isMissing: Bool
    }

    private let line: [UInt8]
    /// The same with ASCII letters in lower case.
    private let words: [UInt8]

    init(_ line: [UInt8]) {
        self.line = line
        var words = line
        for place in words.indices where (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(words[place]) {
            words[place] |= 0x20
        }
        self.words = words
    }

    var failure: Failure? {
        if let found = find(StderrLine.missing) {
            return Failure(place: found.place, length: found.length, isMissing: true)
        }
        return find(StderrLine.refusals).map { Failure(place: $0.place, length: $0.length, isMissing: false) }
    }

    /// The path that failed: most programs name it first, some behind.
    func path(of failure: Failure) -> [UInt8]? {
        let end = failure.place + failure.length
        var behind = MessagePaths(line, end..<line.count)
        // zsh: it is the program's own words that are in lower case then, and it says who speaks in front.
        if line[failure.place] & 0x20 != 0 && Alternatives(": /|: ~/").length(in: words, at: end) != nil {
            return behind.next()?.path
        }
        // What comes before these words names the program.
        let start = min(find(StderrLine.creation)?.place ?? 0, failure.place)
        var before = MessagePaths(line, start..<failure.place)
        if let path = before.inLastPart() {
            return path
        }
        // Perl and PHP tell the place in the program there.
        return Alternatives(" at | in ").length(in: words, at: end) == nil ? behind.next()?.path : nil
    }

    /// The relative name that shells and tools say they cannot create, if that is what was refused.
    func createdName(at failure: Failure) -> [UInt8]? {
        relativeName(behind: StderrLine.creation, at: failure)
    }

    /// The same of those they cannot open. Which directory it is in is not as certain.
    func openedName(at failure: Failure) -> [UInt8]? {
        relativeName(behind: "cannot open |can't open ", at: failure)
    }

    private func relativeName(behind verbs: StaticString, at failure: Failure) -> [UInt8]? {
        guard !failure.isMissing, let found = find(verbs) else { return nil }
        let start = found.place + found.length
        let end = failure.place > start ? failure.place : line.count
        var name = wordOnly(start..<end)
        for place in start..<end {
            if let quote = Quote(in: line, at: place), let close = quote.end(in: line, from: place + quote.length) {
                name = Array(line[(place + quote.length)..<close])
                break
            }
        }
        guard let first = name.first, !MessagePaths.hasControls(name) else { return nil }
        switch first {
        // Neither absolute nor something that the program did not take for a name itself.
        case Path.slash, UInt8(ascii: "~"), UInt8(ascii: "$"), UInt8(ascii: "-"), UInt8(ascii: "&"): return nil
        default: return name
        }
    }

    /// The first word, if nothing comes behind but a colon.
    private func wordOnly(_ range: Range<Int>) -> [UInt8] {
        var end = range.lowerBound
        while end < range.upperBound && line[end] != UInt8(ascii: " ") {
            end += 1
        }
        if end < range.upperBound && line[end - 1] != UInt8(ascii: ":") {
            return []
        }
        while end > range.lowerBound && line[end - 1] == UInt8(ascii: ":") {
            end -= 1
        }
        return Array(line[range.lowerBound..<end])
    }

    /// The access that failed, as far as the words tell: a known tool in front, or the verb. Both, if they do not.
    func mode(of path: Path) -> AccessMode {
        if contains(" for reading") {
            return .read
        }
        if contains(StderrLine.writingWords) || begins(StderrLine.writers) || contains(" for writing|output file") {
            return .write
        }
        return contains("cannot open|can't open") || begins(StderrLine.readers) || isStartupFile(path)
            ? .read : .readWrite
    }

    var mentionsNetwork: Bool {
        contains(StderrLine.lookupFailures)
            || (contains(StderrLine.networkNouns) && contains(StderrLine.networkRefusals))
    }

    private static let missing: StaticString = "no such file or directory"
    private static let refusals: StaticString =
        "permission denied|operation not permitted|read-only file system|accessdeniedexception"
    private static let writingWords: StaticString =
        "cannot create|can't create|write error|read-only file system|, mkdir '"
    private static let creation: StaticString = "cannot create |can't create "
    private static let writers: StaticString =
        "cp:|mv:|rm:|touch:|mkdir:|ln:|chmod:|chown:|tee:|truncate:|mktemp:|install:"
    private static let readers: StaticString = "cat:|head:|tail:|ls:|sed:|awk:|grep:|find:|less:|more:"
    private static let startupFiles: StaticString = ".bashrc|.zshrc|.profile|.bash_profile|.zprofile|.zlogin"
    private static let networkNouns: StaticString = "network|socket|connect"
    private static let networkRefusals: StaticString = "not permitted|permission denied|connection refused|unreachable"
    private static let lookupFailures: StaticString =
        "could not resolve host|name resolution|name or service not known|eai_again"

    /// Whether one of the tools is named in front.
    private func begins(_ tools: StaticString) -> Bool {
        Alternatives(tools).length(in: words, at: 0) != nil
    }

    private func contains(_ phrases: StaticString) -> Bool {
        find(phrases) != nil
    }

    /// The first place of one of the phrases.
    private func find(_ phrases: StaticString) -> (place: Int, length: Int)? {
        let phrases = Alternatives(phrases)
        for place in words.indices {
            if let length = phrases.length(in: words, at: place) {
                return (place, length)
            }
        }
        return nil
    }

    /// Whether the file is one that shells read when they start.
    private func isStartupFile(_ path: Path) -> Bool {
        guard let slash = path.bytes.lastIndex(of: Path.slash) else { return false }
        return Alternatives(StderrLine.startupFiles).length(in: path.bytes, at: slash + 1)
            == path.bytes.count - slash - 1
    }
}
