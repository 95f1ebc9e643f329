// SPDX-License-Identifier: Apache-2.0

internal import CNono

/// Writes classic BPF for seccomp(2), with jumps that go where the Swift source goes.
struct SeccompAssembler: Sendable {
    typealias Instruction = nono_sys_instruction

    /// A word of struct seccomp_data, <linux/seccomp.h>: number, processor, instruction pointer, six arguments. Both
    /// processors that are known here have the low half of an argument first.
    enum Field {
        case number
        case processor
        case argument(UInt32)
        case upperArgument(UInt32)

        var offset: UInt32 {
            switch self {
            case .number: 0
            case .processor: 4
            case .argument(let index): 16 + 8 * index
            case .upperArgument(let index): 20 + 8 * index
            }
        }
    }

    /// What the kernel does with the call: SECCOMP_RET_*.
    enum Answer: Equatable {
        case allow
        case refuse(UInt32)
        case kill

        var value: UInt32 {
            switch self {
            case .allow: 0x7fff_0000
            case .refuse(let error): 0x0005_0000 | error
            case .kill: 0x8000_0000
            }
        }
    }

    enum Comparison: UInt16 {
        case equal = 0x15
        case greaterOrEqual = 0x35
    }

    private(set) var instructions: [Instruction] = []

    /// `capacity` instructions are written without taking memory again.
    init(capacity: Int) {
        instructions.reserveCapacity(capacity)
    }

    mutating func load(_ field: Field) {
        write(0x20, field.offset)
    }

    mutating func and(_ mask: UInt32) {
        write(0x54, mask)
    }

    mutating func answer(_ answer: Answer) {
        write(0x06, answer.value)
    }

    /// Jumps to a place that `land(in:jumpsTo:)` names later, under this number.
    mutating func jump(to place: UInt8) {
        write(0x05, SeccompAssembler.unknownDistance(to: place))
    }

    /// What a jump holds that has not landed: no program is so long that it could be a distance.
    private static func unknownDistance(to place: UInt8) -> UInt32 {
        0x8000_0000 | UInt32(place)
    }

    /// The jumps to a place, among the instructions in a range, go to what comes next. Tells whether there are any.
    mutating func land(in range: Range<Int>, jumpsTo place: UInt8) -> Bool {
        let landing = instructions.count
        var isJumpedTo = false
        let wanted = SeccompAssembler.unknownDistance(to: place)
        for position in range where instructions[position].code == 0x05 && instructions[position].operand == wanted {
            instructions[position].operand = UInt32(landing - position - 1)
            isJumpedTo = true
        }
        return isJumpedTo
    }

    /// A comparison that goes on with what comes next if it does not hold, and else where `landTrue(_:)` says later.
    mutating func branch(_ comparison: Comparison, _ operand: UInt32) -> Int {
        write(comparison.rawValue, operand)
        return instructions.count - 1
    }

    mutating func landTrue(_ branch: Int) {
        instructions[branch].jump_true = UInt8(instructions.count - branch - 1)
    }

    /// `body` runs if the comparison holds; otherwise the program goes on behind it.
    mutating func when(_ comparison: Comparison, _ operand: UInt32, _ body: (inout SeccompAssembler) -> Void) {
        let position = branch(comparison, operand)
        body(&self)
        instructions[position].jump_false = UInt8(instructions.count - position - 1)
    }

    /// The opposite.
    mutating func unless(_ comparison: Comparison, _ operand: UInt32, _ body: (inout SeccompAssembler) -> Void) {
        let position = branch(comparison, operand)
        body(&self)
        landTrue(position)
    }

    private mutating func write(_ code: UInt16, _ operand: UInt32) {
        instructions.append(Instruction(code: code, jump_true: 0, jump_false: 0, operand: operand))
    }
}
