// SPDX-License-Identifier: Apache-2.0

/// The grants that cover one path, by what they give: each field is the position of the first such grant.
public struct Coverage: Equatable, Sendable {
    /// The first grant that covers the path at all.
    public fileprivate(set) var first: Int?
    /// The first that gives reading, and the first that gives writing; a READ_WRITE grant gives both.
    public fileprivate(set) var firstRead: Int?
    public fileprivate(set) var firstWrite: Int?
    /// The first that gives both by itself.
    public fileprivate(set) var firstReadWrite: Int?
    /// The first grant of a directory.
    public fileprivate(set) var firstDirectory: Int?

    /// What all of them give together: the kernel unites the rules it meets on its way up.
    public var access: AccessMode? {
        switch (firstRead != nil, firstWrite != nil) {
        case (true, true): .readWrite
        case (true, false): .read
        case (false, true): .write
        case (false, false): nil
        }
    }

    /// The first grant that gives all of `mode` by itself.
    public func firstSufficient(for mode: AccessMode) -> Int? {
        switch mode {
        case .read: firstRead
        case .write: firstWrite
        case .readWrite: firstReadWrite
        }
    }

    fileprivate mutating func include(_ grant: Grant, at position: Int) {
        first = earlier(first, position)
        if grant.access.includes(.read) { firstRead = earlier(firstRead, position) }
        if grant.access.includes(.write) { firstWrite = earlier(firstWrite, position) }
        if grant.access == .readWrite { firstReadWrite = earlier(firstReadWrite, position) }
        if !grant.isFile { firstDirectory = earlier(firstDirectory, position) }
    }
}

private func earlier(_ position: Int?, _ other: Int) -> Int {
    guard let position else { return other }
    return min(position, other)
}

/// Finds all grants on a path and above it in time that depends on the length of the path alone.
///
/// The table leads from a resolved path to the newest grant on it, `next` from there to the older ones. One pass over
/// a path yields the hashes of all directories above it, and each is one look-up. A chain is short: a grant that gives
/// nothing that its chain does not give already is left out.
struct GrantIndex: Sendable {
    private static let none = Int32(-1)
    private var newest = GrantTable()
    /// For every grant the position of the next one in its chain.
    private var next: [Int32] = []

    init() {}

    init(of grants: [Grant]) {
        next.reserveCapacity(grants.count)
        for position in grants.indices {
            insert(at: position, of: grants)
        }
    }

    /// Adds the grant at `position`, which must be the next one.
    mutating func insert(at position: Int, of grants: [Grant]) {
        let head = newest.replace(with: position, of: grants).map(Int32.init) ?? GrantIndex.none
        next.append(head)
        var current = head
        while current != GrantIndex.none {
            let other = grants[Int(current)]
            if other.isFile == grants[position].isFile && other.access.includes(grants[position].access) {
                _ = newest.replace(with: Int(head), of: grants)
                return
            }
            current = next[Int(current)]
        }
    }

    /// For every grant the position of the first one with the same path: nothing has to be looked up for that, since
    /// `next` leads to an earlier grant of the path from every one, also from those left out.
    var firsts: [Int32] {
        var firsts: [Int32] = []
        firsts.reserveCapacity(next.count)
        for position in next.indices {
            let earlier = next[position]
            firsts.append(earlier == GrantIndex.none ? Int32(position) : firsts[Int(earlier)])
        }
        return firsts
    }

    func coverage(of path: Path, in grants: [Grant]) -> Coverage {
        var result = Coverage()
        guard path.isAbsolute else { return result }
        let length = path.bytes.count
        var hash = PathHash()
        hash.combine(Path.slash)
        collect(prefix: 1, of: path, hash: hash, in: grants, into: &result)
        for end in 1..<length {
            let byte = path.bytes[end]
            if byte == Path.slash {
                collect(prefix: end, of: path, hash: hash, in: grants, into: &result)
            }
            hash.combine(byte)
        }
        if length > 1 {
            collect(prefix: length, of: path, hash: hash, in: grants, into: &result)
        }
        return result
    }

    private func collect(
        prefix: Int, of path: Path, hash: PathHash, in grants: [Grant], into result: inout Coverage
    ) {
        guard let head = newest.find(prefix: prefix, of: path, hash: hash, in: grants) else { return }
        var current = Int32(head)
        while current != GrantIndex.none {
            let grant = grants[Int(current)]
            if !grant.isFile || prefix == path.bytes.count {
                result.include(grant, at: Int(current))
            }
            current = next[Int(current)]
        }
    }
}
