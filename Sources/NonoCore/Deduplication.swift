// SPDX-License-Identifier: Apache-2.0

/// One grant for each resolved path and kind, or nil if the grants are that already.
///
/// One pass from left to right. Of two grants with the same path and kind one survives, at its own place:
/// 1. one that a user or profile intends wins over one that a group or the system provides; within a class the
///    earlier one wins, unless the later one is READ_WRITE and the earlier one is not;
/// 2. READ and WRITE together become READ_WRITE, whichever survives;
/// 3. if the survivor was spelled as it resolves and the other was not, the other's spelling is kept; the last such
///    spelling wins.
/// Rules compare what was granted, not what an earlier step of the pass made of it: 2 and 3 take effect at the end.
///
/// `firsts` tells for each grant the first one with the same path.
func deduplicated(_ grants: [Grant], firsts: [Int32]) -> [Grant]? {
    // Of the grants so far, by the first one with the path: one for directories and one for files.
    var survivors = [Int32](repeating: -1, count: 2 * grants.count)
    var isRemoved = [Bool](repeating: false, count: grants.count)
    var accessEdits: [(position: Int, access: AccessMode)] = []
    var spellingEdits: [(position: Int, loser: Int)] = []
    var removed = 0

    for later in grants.indices {
        let path = 2 * Int(firsts[later]) + (grants[later].isFile ? 1 : 0)
        let earlier = Int(survivors[path])
        if earlier < 0 {
            survivors[path] = Int32(later)
            continue
        }
        let (old, new) = (grants[earlier].access, grants[later].access)
        let newWins: Bool
        if grants[earlier].source.isIntended != grants[later].source.isIntended {
            newWins = grants[later].source.isIntended
        } else {
            newWins = new == .readWrite && old != .readWrite
        }
        let (winner, loser) = newWins ? (later, earlier) : (earlier, later)
        survivors[path] = Int32(winner)
        isRemoved[loser] = true
        removed += 1
        if old != new && old != .readWrite && new != .readWrite {
            accessEdits.append((winner, .readWrite))
        }
        if !grants[loser].isSpelledAsResolved && grants[winner].isSpelledAsResolved {
            spellingEdits.append((winner, loser))
        }
    }
    if removed == 0 {
        return nil
    }

    var edited = grants
    for edit in accessEdits {
        edited[edit.position].access = edit.access
    }
    for edit in spellingEdits {
        edited[edit.position].takeSpelling(of: grants[edit.loser])
    }
    var result: [Grant] = []
    result.reserveCapacity(grants.count - removed)
    for position in edited.indices where !isRemoved[position] {
        result.append(edited[position])
    }
    return result
}

extension Grant {
    fileprivate var isSpelledAsResolved: Bool {
        original.sameComponents(as: resolved)
    }
}
