// SPDX-License-Identifier: Apache-2.0

internal import NonoCore

/// The seccomp(2) program of a sandbox: what Landlock does not mediate, by system call.
///
/// It closes calls and leaves all others alone. What is closed answers with an error that a program can handle; only
/// calls of a foreign processor mode, which would pass under numbers of their own, end the process.
///
/// The number is looked up by bisection. The kernel runs the program once for each number when it is installed, and then
/// no more for calls that are allowed whatever their arguments, so both that and the few calls whose arguments are looked
/// at are cheap.
struct SeccompProgram: Equatable, Sendable {
    typealias Instruction = SeccompAssembler.Instruction

    var instructions: [Instruction] { assembler.instructions }

    private var assembler = SeccompAssembler()
    private let processor: Processor
    /// What is decided about each call that is not simply allowed.
    private var decisions: [(number: UInt32, decision: Decision)] = []
    /// Code for calls whose arguments are looked at; what it does not answer is allowed.
    private var blocks: [SeccompAssembler] = []

    private enum Decision: Equatable {
        case allow
        case refuse
        case block(Int)
    }

    static func == (left: SeccompProgram, right: SeccompProgram) -> Bool {
        left.assembler == right.assembler
    }

    init(network: NetworkMode, blocksUnixSockets: Bool, options: SandboxOptions, processor: Processor) {
        self.processor = processor
        closeSockets(network: network, blocksUnixSockets: blocksUnixSockets)
        if network.isBlocked || blocksUnixSockets {
            // It makes and connects sockets without the calls for that.
            close(SystemCall.ioUring)
        }
        if !options.contains(.terminalInput) {
            closeTerminalInput()
        }
        if !options.contains(.otherProcesses) {
            closeOtherProcesses()
        }
        for group in SystemCall.closed where !options.contains(group.option) {
            close(group.calls)
        }
        assemble()
    }

    // MARK: What is closed

    private mutating func closeSockets(network: NetworkMode, blocksUnixSockets: Bool) {
        let unix = UInt32(1)
        switch network {
        case .allowAll:
            if blocksUnixSockets {
                on(.socket) { program in
                    program.load(.argument(0))
                    program.when(.equal, unix) { $0.answer(.refuse(accessDenied)) }
                }
            }
        case .blocked:
            on(.socket) { program in
                program.load(.argument(0))
                if !blocksUnixSockets {
                    program.when(.equal, unix) { $0.answer(.allow) }
                }
                refuseFamily(&program)
            }
        case .proxyOnly:
            on(.socket) { allowProxySockets(&$0, blocksUnixSockets: blocksUnixSockets) }
            closeFastOpen()
        }
        if network.isBlocked || blocksUnixSockets {
            on(.socketpair) { program in
                if network.isBlocked {
                    program.load(.argument(0))
                    program.unless(.equal, unix) { $0.answer(.refuse(accessDenied)) }
                }
                if blocksUnixSockets {
                    refuseDatagramPairs(&program)
                }
            }
        }
    }

    /// TCP Fast Open connects while it sends, past Landlock's look at connect(2).
    private mutating func closeFastOpen() {
        let fastOpen = UInt32(0x2000_0000)
        for (call, flags) in SystemCall.sending {
            on(call) { program in
                program.load(.argument(flags))
                program.and(fastOpen)
                program.unless(.equal, 0) { $0.answer(.refuse(accessDenied)) }
            }
        }
    }

    private mutating func closeTerminalInput() {
        on(.ioctl) { program in
            // The kernel looks at the low 32 bits of the command only, and so does this.
            program.load(.argument(1))
            for command: UInt32 in [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */] {
                program.when(.equal, command) { $0.answer(.refuse(notPermitted)) }
            }
        }
    }

    private mutating func closeOtherProcesses() {
        for call in SystemCall.scheduling {
            on(call) { program in
                program.load(.argument(0))
                program.unless(.equal, 0) { $0.answer(.refuse(notPermitted)) }
            }
        }
        on(.prlimit64) { program in
            program.load(.argument(0))
            program.unless(.equal, 0) { program in
                // Reading is fine: then the pointer to new limits is NULL, both halves of it.
                for half in [SeccompAssembler.Field.argument(2), .upperArgument(2)] {
                    program.load(half)
                    program.unless(.equal, 0) { $0.answer(.refuse(notPermitted)) }
                }
            }
        }
        // The first argument says what the second one counts: processes (0; for ioprio_set 1), groups or users.
        for (call, process) in [(SystemCall.setpriority, UInt32(0)), (.ioprioSet, 1)] {
            on(call) { program in
                program.load(.argument(0))
                program.unless(.equal, process) { $0.answer(.refuse(notPermitted)) }
                program.load(.argument(1))
                program.unless(.equal, 0) { $0.answer(.refuse(notPermitted)) }
            }
        }
    }

    private mutating func close(_ calls: [SystemCall]) {
        for call in calls {
            if let number = call.number(on: processor) {
                decisions.append((number, .refuse))
            }
        }
    }

    /// `body` decides about one call by its arguments.
    private mutating func on(_ call: SystemCall, _ body: (inout SeccompAssembler) -> Void) {
        guard let number = call.number(on: processor) else { return }
        var block = SeccompAssembler()
        body(&block)
        block.answer(.allow)
        decisions.append((number, .block(blocks.count)))
        blocks.append(block)
    }

    // MARK: How it is put together

    private mutating func assemble() {
        assembler.load(.processor)
        assembler.unless(.equal, processor.rawValue) { $0.answer(.kill) }
        assembler.load(.number)
        if processor == .x86_64 {
            // x32 has the same processor value and numbers from 2^30 on. The number -1 is no call at all: tracers use
            // it to skip one.
            assembler.when(.greaterOrEqual, 0x4000_0000) { program in
                program.unless(.equal, UInt32.max) { $0.answer(.kill) }
                program.answer(.allow)
            }
        }
        var jumps: [(block: Int, position: Int)] = []
        bisect(intervals()[...], &jumps)
        for block in blocks.indices {
            for jump in jumps where jump.block == block {
                assembler.land(jump.position)
            }
            assembler.append(blocks[block])
        }
    }

    /// The decisions as intervals of numbers without gaps, each given by its start.
    private func intervals() -> [(start: UInt32, decision: Decision)] {
        var result: [(start: UInt32, decision: Decision)] = [(0, .allow)]
        for (number, decision) in decisions.sorted(by: { $0.number < $1.number }) {
            for (start, decision) in [(number, decision), (number + 1, .allow)] {
                if result[result.count - 1].start == start {
                    result.removeLast()
                }
                if result.last?.decision != decision {
                    result.append((start, decision))
                }
            }
        }
        return result
    }

    private mutating func bisect(
        _ intervals: ArraySlice<(start: UInt32, decision: Decision)>, _ jumps: inout [(block: Int, position: Int)]
    ) {
        guard intervals.count > 1 else {
            switch intervals.first?.decision {
            case .refuse: assembler.answer(.refuse(notPermitted))
            case .block(let block): jumps.append((block, assembler.jump()))
            case .allow, nil: assembler.answer(.allow)
            }
            return
        }
        let middle = intervals.startIndex + intervals.count / 2
        let branch = assembler.branch(.greaterOrEqual, intervals[middle].start)
        bisect(intervals[..<middle], &jumps)
        assembler.landTrue(branch)
        bisect(intervals[middle...], &jumps)
    }
}

private let accessDenied = UInt32(13)
private let notPermitted = UInt32(1)
private let familyNotSupported = UInt32(97)

/// Refuses the loaded address family. Libraries take a netlink family that this kernel does not have for granted, but not
/// one that they may not use: libaudit, and with it su(1), would fail.
private func refuseFamily(_ program: inout SeccompAssembler) {
    program.when(.equal, 16 /* AF_NETLINK */) { $0.answer(.refuse(familyNotSupported)) }
    program.answer(.refuse(accessDenied))
}

/// TCP, whose ports Landlock mediates, and nothing that Landlock takes for something else: no MPTCP, no UDP.
private func allowProxySockets(_ program: inout SeccompAssembler, blocksUnixSockets: Bool) {
    program.load(.argument(0))
    if !blocksUnixSockets {
        program.when(.equal, 1 /* AF_UNIX */) { $0.answer(.allow) }
    }
    program.unless(.equal, 2 /* AF_INET */) { program in
        program.unless(.equal, 10 /* AF_INET6 */) { refuseFamily(&$0) }
    }
    program.load(.argument(1))
    program.and(0xf)
    program.unless(.equal, 1 /* SOCK_STREAM */) { $0.answer(.refuse(accessDenied)) }
    program.load(.argument(2))
    program.when(.equal, 0) { $0.answer(.allow) }
    program.unless(.equal, 6 /* IPPROTO_TCP */) { $0.answer(.refuse(accessDenied)) }
}

/// One end of a pair of datagram sockets can send to any other socket; a stream is bound to its peer.
private func refuseDatagramPairs(_ program: inout SeccompAssembler) {
    program.load(.argument(1))
    program.and(0xf)
    program.unless(.equal, 1 /* SOCK_STREAM */) { program in
        program.unless(.equal, 5 /* SOCK_SEQPACKET */) { $0.answer(.refuse(accessDenied)) }
    }
}
