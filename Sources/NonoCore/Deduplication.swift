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
func deduplicated(_ grants: [Grant]) -> [Grant]? {
    var survivingDirectories = GrantTable()
    var survivingFiles = GrantTable()
    var isRemoved = [Bool](repeating: false, count: grants.count)
    var accessEdits: [(position: Int, access: AccessMode)] = []
    var spellingEdits: [(position: Int, loser: Int)] = []
    var removed = 0

    for later in grants.indices {
        let former =
            grants[later].isFile
            ? survivingFiles.replace(with: later, of: grants) : survivingDirectories.replace(with: later, of: grants)
        guard let earlier = former else { continue }
        let (old, new) = (grants[earlier], grants[later])
        let newWins: Bool
        if old.source.isIntended != new.source.isIntended {
            newWins = new.source.isIntended
        } else {
            newWins = new.access == .readWrite && old.access != .readWrite
        }
        let (winner, loser) = newWins ? (later, earlier) : (earlier, later)
        if !newWins {
            _ =
                grants[later].isFile
                ? survivingFiles.replace(with: earlier, of: grants)
                : survivingDirectories.replace(with: earlier, of: grants)
        }
        isRemoved[loser] = true
        removed += 1
        if old.access != new.access && old.access != .readWrite && new.access != .readWrite {
            accessEdits.append((winner, .readWrite))
        }
        if isSpelledAsResolved(grants[winner]) && !isSpelledAsResolved(grants[loser]) {
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

private func isSpelledAsResolved(_ grant: Grant) -> Bool {
    grant.original.sameComponents(as: grant.resolved)
}
