// SPDX-License-Identifier: Apache-2.0

/// A hash table from a resolved path to the position of one grant of it (open addressing, linear probing).
///
/// It stores positions only; the paths are those of the grants, which every call is given. Keys can be the first bytes
/// of a longer path, so that looking for the directories above a path copies nothing.
struct GrantTable: Sendable {
    private struct Slot {
        var hash: UInt64
        /// -1 for a free slot.
        var position: Int32
    }

    private static let free = Slot(hash: 0, position: -1)
    private var slots: [Slot] = []
    private var used = 0

    /// The position stored for the path that is the first `prefix` bytes of `path`, whose hash is `hash`.
    func find(prefix: Int, of path: Path, hash: PathHash, in grants: [Grant]) -> Int? {
        if slots.isEmpty {
            return nil
        }
        let position = slots[slot(prefix: prefix, of: path, hash: hash.value, in: grants)].position
        return position < 0 ? nil : Int(position)
    }

    /// Stores a position for its grant's path and returns the one that stood there.
    mutating func replace(with position: Int, of grants: [Grant]) -> Int? {
        // At least a third of the slots stays free.
        if slots.count * 2 < (used + 1) * 3 {
            grow()
        }
        let path = grants[position].resolved
        let hash = PathHash(of: path).value
        let slot = slot(prefix: path.bytes.count, of: path, hash: hash, in: grants)
        let former = slots[slot].position
        slots[slot] = Slot(hash: hash, position: Int32(position))
        if former < 0 {
            used += 1
            return nil
        }
        return Int(former)
    }

    /// Where the path is, or the free slot where it would be.
    private func slot(prefix: Int, of path: Path, hash: UInt64, in grants: [Grant]) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot].position >= 0 {
            if slots[slot].hash == hash
                && isEqual(grants[Int(slots[slot].position)].resolved.bytes, path.bytes, count: prefix)
            {
                return slot
            }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: GrantTable.free, count: max(8, old.count * 2))
        let mask = slots.count - 1
        for entry in old where entry.position >= 0 {
            var slot = Int(truncatingIfNeeded: entry.hash) & mask
            while slots[slot].position >= 0 {
                slot = (slot + 1) & mask
            }
            slots[slot] = entry
        }
    }
}

private func isEqual(_ key: [UInt8], _ path: [UInt8], count: Int) -> Bool {
    guard key.count == count else { return false }
    return key.withUnsafeBytes { key in
        path.withUnsafeBytes { path in
            guard let left = key.baseAddress, let right = path.baseAddress else { return true }
            return isEqual(left, right, count: count)
        }
    }
}

/// FNV-1a over the bytes so far, mixed so that the low bits depend on all of them. A table holds only what the program
/// itself grants, so nobody else chooses colliding keys.
struct PathHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    init() {}

    init(of path: Path) {
        for byte in path.bytes {
            combine(byte)
        }
    }

    mutating func combine(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
    }

    var value: UInt64 {
        var mixed = state
        mixed ^= mixed >> 33
        mixed = mixed &* 0xff51_afd7_ed55_8ccd
        mixed ^= mixed >> 33
        return mixed
    }
}
