// SPDX-License-Identifier: Apache-2.0

import CNono
import NonoCore
import Testing

@testable import NonoLinux

private let allow = UInt32(0x7fff_0000)
private let denied = UInt32(0x0005_000d)  // EACCES
private let refused = UInt32(0x0005_0001)  // EPERM
private let noFamily = UInt32(0x0005_0061)  // EAFNOSUPPORT
private let kill = UInt32(0x8000_0000)

private let modes: [NetworkMode] = [.allowAll, .blocked, .proxyOnly(port: 0), .proxyOnly(port: 8080)]

/// Calls that send, and which of their arguments has the MSG_* flags.
let sending: [(call: SystemCall, flags: Int)] = [(.sendto, 3), (.sendmsg, 2), (.sendmmsg, 3)]

/// One way to make a program, and what it is to answer.
private struct Case: CustomStringConvertible {
    let network: NetworkMode
    let blocksUnixSockets: Bool
    let options: SandboxOptions
    let processor: Processor

    let program: [nono_sys_instruction]

    init(network: NetworkMode, blocksUnixSockets: Bool, options: SandboxOptions, processor: Processor) {
        self.network = network
        self.blocksUnixSockets = blocksUnixSockets
        self.options = options
        self.processor = processor
        program =
            SeccompProgram(
                network: network, blocksUnixSockets: blocksUnixSockets, options: options, processor: processor
            ).instructions
    }

    var description: String {
        "\(network), unix sockets \(blocksUnixSockets ? "blocked" : "open"), options \(options.rawValue), \(processor)"
    }

    /// Every mode with every option alone, with all but that one, with none and with all.
    static let all: [Case] = {
        let single = (0..<14).map { SandboxOptions(rawValue: 1 << $0) }
        let options = [[], .all] + single + single.map { SandboxOptions.all.subtracting($0) }
        return Processor.allCases.flatMap { processor in
            modes.flatMap { network in
                [false, true].flatMap { blocks in
                    options.map { Case(network: network, blocksUnixSockets: blocks, options: $0, processor: processor) }
                }
            }
        }
    }()

    func answer(_ number: UInt32, _ arguments: [UInt64], as processor: UInt32? = nil) throws -> UInt32 {
        try BPF.run(program, number: number, processor: processor ?? self.processor.rawValue, arguments: arguments)
            .answer
    }

    /// The same answer, said once more without jumps.
    func expected(_ call: SystemCall, _ arguments: [UInt64]) -> UInt32 {
        let low = arguments.map { UInt32(truncatingIfNeeded: $0) }
        let kind = low[1] & 0xf
        switch call {
        case .socket:
            if low[0] == 1 { return blocksUnixSockets ? denied : allow }
            switch network {
            case .allowAll: return allow
            case .blocked: return low[0] == 16 ? noFamily : denied
            case .proxyOnly where low[0] == 16: return noFamily
            case .proxyOnly:
                return (low[0] == 2 || low[0] == 10) && kind == 1 && (low[2] == 0 || low[2] == 6) ? allow : denied
            }
        case .socketpair:
            if network.isBlocked && low[0] != 1 { return denied }
            return blocksUnixSockets && kind != 1 && kind != 5 ? denied : allow
        case .ioctl:
            return !options.contains(.terminalInput) && [0x5412, 0x541c].contains(low[1]) ? refused : allow
        case .prlimit64:
            return options.contains(.otherProcesses) || low[0] == 0 || arguments[2] == 0 ? allow : refused
        case .setpriority:
            return options.contains(.otherProcesses) || (low[0] == 0 && low[1] == 0) ? allow : refused
        case .ioprioSet:
            return options.contains(.otherProcesses) || (low[0] == 1 && low[1] == 0) ? allow : refused
        default:
            break
        }
        if SystemCall.scheduling.contains(call) {
            return options.contains(.otherProcesses) || low[0] == 0 ? allow : refused
        }
        if let flags = sending.first(where: { $0.call == call })?.flags {
            guard case .proxyOnly = network else { return allow }
            return low[flags] & 0x2000_0000 != 0 ? denied : allow
        }
        if SystemCall.ioUring.contains(call) {
            return network.isBlocked || blocksUnixSockets ? refused : allow
        }
        for group in SystemCall.closed where group.calls.contains(call) {
            return options.contains(group.option) ? allow : refused
        }
        return allow
    }

    /// Calls whose answer depends on arguments. The kernel runs the program for these, and for no other that is allowed.
    var lookedAt: Set<UInt32> {
        var calls: [SystemCall] = []
        if network.isBlocked || blocksUnixSockets { calls += [.socket, .socketpair] }
        if case .proxyOnly = network { calls += sending.map(\.call) }
        if !options.contains(.terminalInput) { calls.append(.ioctl) }
        if !options.contains(.otherProcesses) {
            calls += SystemCall.scheduling + [.prlimit64, .setpriority, .ioprioSet]
        }
        return Set(calls.compactMap { $0.number(on: processor) })
    }
}

/// Arguments with which something could go wrong: what is compared with, its neighbours, and high halves.
private let interesting: [UInt64] = [
    0, 1, 2, 3, 5, 6, 10, 16, 40, 0x5411, 0x5412, 0x541c, 0x2000_0000, 0x2000_0040, 0x80801, 0x80802, 0x80805, 262,
    0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, 0x1_0000_5412, 0xffff_ffff_ffff_ffff,
]

@Suite struct SeccompProgramTests {
    @Test func isWellFormed() throws {
        for made in Case.all {
            let program = made.program
            try BPF.check(program)
            #expect(program.last?.code == 0x06)
            #expect(program.count <= SeccompProgram.longest, "the kernel takes 4096")
        }
    }

    @Test func answersAsItSays() throws {
        for made in Case.all {
            var random = SystemRandomNumberGenerator()
            for call in namedCalls {
                guard let number = call.number(on: made.processor) else { continue }
                // Where arguments decide, every pair of them; elsewhere a few.
                let firsts = made.lookedAt.contains(number) ? interesting : [0, 1, .max]
                for first in firsts {
                    for second in firsts {
                        let rest = (0..<4).map { _ in interesting.randomElement(using: &random)! }
                        let arguments = [first, second] + rest
                        let answer = try made.answer(number, arguments)
                        if answer != made.expected(call, arguments) {
                            Issue.record("\(call.name)(\(arguments)) is \(answer), \(made)")
                        }
                    }
                }
            }
        }
    }

    /// What the kernel's cache needs: a call that is always allowed is decided by its number and the processor. And
    /// exactly the named calls are anything else.
    @Test func otherCallsAreDecidedByNumber() throws {
        for made in Case.all {
            let program = made.program
            let named = Dictionary(
                uniqueKeysWithValues: namedCalls.compactMap { call in call.number(on: made.processor).map { ($0, call) }
                })
            let nothing = [UInt64](repeating: 0, count: 6)
            for number in UInt32(0)..<500 {
                let result = try BPF.run(
                    program, number: number, processor: made.processor.rawValue, arguments: nothing)
                let looksAtArguments = result.loaded & ~0b11 != 0
                if looksAtArguments != made.lookedAt.contains(number) {
                    Issue.record("\(number) \(looksAtArguments ? "looks" : "does not look") at arguments, \(made)")
                }
                let expected = named[number].map { made.expected($0, nothing) } ?? allow
                if result.answer != expected {
                    Issue.record("\(number) is \(result.answer), \(made)")
                }
            }
        }
    }

    @Test func foreignModesEndTheProcess() throws {
        for made in Case.all {
            let nothing = [UInt64](repeating: 0, count: 6)
            // i386, ARM, the other processor, none.
            let others = Processor.allCases.filter { $0 != made.processor }.map(\.rawValue)
            for processor in [0x4000_0003, 0x4000_0028, 0] + others {
                for number: UInt32 in [0, 1, 41, 198, 0x4000_0000, .max] {
                    #expect(try made.answer(number, nothing, as: processor) == kill)
                }
            }
            #expect(try made.answer(.max, nothing) == allow, "no call at all")
            for number: UInt32 in [0x4000_0000, 0x4000_0029, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe] {
                #expect(try made.answer(number, nothing) == (made.processor == .x86_64 ? kill : allow))
            }
            #expect(try made.answer(0x3fff_ffff, nothing) == allow)
        }
    }
}
