// SPDX-License-Identifier: Apache-2.0

import CNono

/// Runs a seccomp program as the kernel does, as far as ours go: a machine with one register. What the kernel's checker
/// refuses is an error.
struct BPF {
    enum Fault: Error, Equatable {
        case outOfProgram(Int)
        case unknownCode(UInt16)
        case badLoad(UInt32)
    }

    struct Result: Equatable {
        let answer: UInt32
        /// The words of struct seccomp_data that it looked at, a bit for each.
        let loaded: UInt64
    }

    static func run(
        _ program: [nono_sys_instruction], number: UInt32, processor: UInt32, arguments: [UInt64]
    ) throws -> Result {
        var words = [number, processor, 0xdead, 0xbeef]
        for argument in arguments {
            words.append(UInt32(truncatingIfNeeded: argument))
            words.append(UInt32(truncatingIfNeeded: argument >> 32))
        }
        var accumulator: UInt32 = 0
        var loaded: UInt64 = 0
        var position = 0
        while program.indices.contains(position) {
            let instruction = program[position]
            position += 1
            switch instruction.code {
            case 0x06:
                return Result(answer: instruction.operand, loaded: loaded)
            case 0x20:
                guard instruction.operand % 4 == 0, instruction.operand < 64 else {
                    throw Fault.badLoad(instruction.operand)
                }
                accumulator = words[Int(instruction.operand / 4)]
                loaded |= 1 << UInt64(instruction.operand / 4)
            case 0x54:
                accumulator &= instruction.operand
            case 0x05:
                position += Int(instruction.operand)
            case 0x15:
                position += Int(accumulator == instruction.operand ? instruction.jump_true : instruction.jump_false)
            case 0x35:
                position += Int(accumulator >= instruction.operand ? instruction.jump_true : instruction.jump_false)
            default:
                throw Fault.unknownCode(instruction.code)
            }
        }
        throw Fault.outOfProgram(position)
    }

    /// Every path of a program stays in it, jumps forward only and ends in a return, as the kernel's checker wants it.
    static func check(_ program: [nono_sys_instruction]) throws {
        for (position, instruction) in program.enumerated() {
            let next: [Int] =
                switch instruction.code {
                case 0x06: []
                case 0x20, 0x54: [position + 1]
                case 0x05: [position + 1 + Int(instruction.operand)]
                default:
                    [position + 1 + Int(instruction.jump_true), position + 1 + Int(instruction.jump_false)]
                }
            for target in next where !program.indices.contains(target) {
                throw Fault.outOfProgram(target)
            }
        }
    }
}
