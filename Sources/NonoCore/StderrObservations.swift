// SPDX-License-Identifier: Apache-2.0

/// What the error output of a program tells about accesses that failed. A guess: the program may write what it wants.
struct StderrObservations {
    struct Access {
        /// As the program spelled it.
        let path: Path
        fileprivate(set) var mode: AccessMode
        fileprivate let key: [UInt8]

        fileprivate init(path: Path, mode: AccessMode) {
            self.path = path
            self.mode = mode
            key = path.lexicallyNormal.bytes
        }
    }

    /// Paths that were not there.
    private(set) var missing = AccessList()
    /// Paths that were refused. One may be in both: then it was not there.
    private(set) var denied = AccessList()
    /// Whether something failed that reads like a blocked network.
    private(set) var mentionsNetwork = false

    /// More refused paths than this are left out.
    private static let maximumDenied = 50
    /// Of long outputs only this much at either end is read.
    private static let longestEnd = 65536

    /// That of the program; relative names are understood only with it.
    private let workingDirectory: Path?

    init(_ stderr: [UInt8], workingDirectory: Path?) {
        self.workingDirectory = workingDirectory
        let length = StderrObservations.longestEnd
        if stderr.count <= 2 * length {
            readLines(of: stderr, 0..<stderr.count)
            return
        }
        // Whole lines only: a path that is cut off is another path.
        var end = length
        while end > 0 && stderr[end] != UInt8(ascii: "\n") {
            end -= 1
        }
        readLines(of: stderr, 0..<end)
        var start = stderr.count - length
        while start < stderr.count && stderr[start - 1] != UInt8(ascii: "\n") {
            start += 1
        }
        readLines(of: stderr, start..<stderr.count)
    }

    private mutating func readLines(of text: [UInt8], _ range: Range<Int>) {
        var line: [UInt8] = []
        for place in range {
            if text[place] != UInt8(ascii: "\n") {
                line.append(text[place])
            } else {
                read(StderrLine(line))
                line.removeAll(keepingCapacity: true)
            }
        }
        read(StderrLine(line))
    }

    private mutating func read(_ line: StderrLine) {
        mentionsNetwork = mentionsNetwork || line.mentionsNetwork
        guard let failure = line.failure else { return }
        let path: Path
        // A relative name is the object then, whatever path the program itself has in front.
        if let name = line.createdName(at: failure) {
            guard let workingDirectory else { return }
            path = Path(workingDirectory.bytes + [Path.slash] + name).lexicallyNormal
        } else if let found = line.path(of: failure), line.openedName(at: failure) == nil {
            path = Path(found)
        } else {
            return
        }
        if failure.isMissing {
            missing.insert(Access(path: path, mode: .read), limit: Int.max)
        } else {
            denied.insert(Access(path: path, mode: line.mode(of: path)), limit: StderrObservations.maximumDenied)
        }
    }
}

/// Accesses to paths, each path once: several spellings are one. In the order of their components, so that what is
/// below a directory comes right after it.
struct AccessList {
    private(set) var accesses: [StderrObservations.Access] = []

    mutating func insert(_ access: StderrObservations.Access, limit: Int) {
        let (place, isPresent) = find(access.key)
        if isPresent {
            accesses[place].mode = accesses[place].mode.union(access.mode)
        } else if accesses.count < limit {
            accesses.insert(access, at: place)
        }
    }

    func contains(_ access: StderrObservations.Access) -> Bool {
        find(access.key).isPresent
    }

    /// Where a path is, or where it belongs.
    private func find(_ key: [UInt8]) -> (place: Int, isPresent: Bool) {
        var low = 0
        var high = accesses.count
        while low < high {
            let middle = (low + high) / 2
            let order = compare(accesses[middle].key, key)
            if order == 0 {
                return (middle, true)
            }
            if order < 0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return (low, false)
    }

    private func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
        for place in 0..<min(left.count, right.count) where left[place] != right[place] {
            return rank(left[place]) - rank(right[place])
        }
        return left.count - right.count
    }

    /// A slash ends a component, and comes before what would go on with it.
    private func rank(_ byte: UInt8) -> Int {
        byte == Path.slash ? 0 : Int(byte) + 1
    }
}
