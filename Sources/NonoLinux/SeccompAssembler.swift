// SPDX-License-Identifier: Apache-2.0

/// Writes classic BPF for seccomp(2), with jumps that go where the Swift source goes.
struct SeccompAssembler: Equatable, Sendable {
    /// struct sock_filter, <linux/filter.h>.
    struct Instruction: Equatable, Sendable {
        var code: UInt16
        var jumpTrue: UInt8 = 0
        var jumpFalse: UInt8 = 0
        var operand: UInt32
    }

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

    mutating func load(_ field: Field) {
        instructions.append(Instruction(code: 0x20, operand: field.offset))
    }

    mutating func and(_ mask: UInt32) {
        instructions.append(Instruction(code: 0x54, operand: mask))
    }

    mutating func answer(_ answer: Answer) {
        instructions.append(Instruction(code: 0x06, operand: answer.value))
    }

    /// Jumps to a place that `land(_:)` names later.
    mutating func jump() -> Int {
        instructions.append(Instruction(code: 0x05, operand: 0))
        return instructions.count - 1
    }

    /// The jump goes to what comes next.
    mutating func land(_ jump: Int) {
        instructions[jump].operand = UInt32(instructions.count - jump - 1)
    }

    /// A comparison that goes on with what comes next if it does not hold, and else where `landTrue(_:)` says later.
    mutating func branch(_ comparison: Comparison, _ operand: UInt32) -> Int {
        instructions.append(Instruction(code: comparison.rawValue, operand: operand))
        return instructions.count - 1
    }

    mutating func landTrue(_ branch: Int) {
        instructions[branch].jumpTrue = UInt8(instructions.count - branch - 1)
    }

    mutating func append(_ other: SeccompAssembler) {
        instructions += other.instructions
    }

    /// `body` runs if the comparison holds; otherwise the program goes on behind it.
    mutating func when(_ comparison: Comparison, _ operand: UInt32, _ body: (inout SeccompAssembler) -> Void) {
        let position = instructions.count
        instructions.append(Instruction(code: comparison.rawValue, operand: operand))
        body(&self)
        instructions[position].jumpFalse = UInt8(instructions.count - position - 1)
    }

    /// The opposite.
    mutating func unless(_ comparison: Comparison, _ operand: UInt32, _ body: (inout SeccompAssembler) -> Void) {
        let position = instructions.count
        instructions.append(Instruction(code: comparison.rawValue, operand: operand))
        body(&self)
        instructions[position].jumpTrue = UInt8(instructions.count - position - 1)
    }
}
