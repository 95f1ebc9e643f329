// SPDX-License-Identifier: Apache-2.0

internal import CNono

/// Writes classic BPF for seccomp(2), from its end to its beginning: jumps lead forward only, so where one goes is there
/// already when it is written.
struct SeccompAssembler: Sendable {
    typealias Instruction = nono_sys_instruction

    /// An instruction that is written, by how many there are from it to the end.
    struct Label: Equatable {
        fileprivate let fromEnd: UInt16
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

    private var program = nono_sys_program()

    private var count: Int { Int(program.length) }

    /// The program, which begins with what was written last.
    func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Instruction>) -> Result) -> Result {
        withUnsafeBytes(of: program.instructions) { bytes in
            body(UnsafeBufferPointer(rebasing: bytes.assumingMemoryBound(to: Instruction.self).suffix(count)))
        }
    }

    mutating func answer(_ answer: Answer) -> Label {
        write(0x06, answer.value)
    }

    mutating func load(_ field: Field, then next: Label) -> Label {
        comeBefore(next)
        return write(0x20, field.offset)
    }

    mutating func and(_ mask: UInt32, then next: Label) -> Label {
        comeBefore(next)
        return write(0x54, mask)
    }

    mutating func compare(_ comparison: Comparison, _ operand: UInt32, then yes: Label, else no: Label) -> Label {
        write(comparison.rawValue, operand, UInt8(distance(to: yes)), UInt8(distance(to: no)))
    }

    /// From the instruction that is written next.
    private func distance(to label: Label) -> Int {
        count - Int(label.fromEnd)
    }

    /// What is written next goes on with the label.
    private mutating func comeBefore(_ label: Label) {
        if distance(to: label) > 0 {
            _ = write(0x05, UInt32(distance(to: label)))
        }
    }

    private mutating func write(_ code: UInt16, _ operand: UInt32, _ yes: UInt8 = 0, _ no: UInt8 = 0) -> Label {
        let position = Int(NONO_SYS_LONGEST_PROGRAM) - count - 1
        precondition(position >= 0)
        withUnsafeMutableBytes(of: &program.instructions) { bytes in
            bytes.assumingMemoryBound(to: Instruction.self)[position] =
                Instruction(code: code, jump_true: yes, jump_false: no, operand: operand)
        }
        program.length += 1
        return Label(fromEnd: program.length)
    }
}
