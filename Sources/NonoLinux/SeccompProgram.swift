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
///
/// Most programs are written in a process that has just been forked, where every page that is touched costs more than
/// what is done in it. So nothing is sorted and no memory taken but for the program itself.
struct SeccompProgram: Sendable {
    /// As the kernel takes them.
    var instructions: [SeccompAssembler.Instruction] { assembler.instructions }

    /// More instructions than a program has.
    static let longest = 256

    private var assembler = SeccompAssembler(capacity: SeccompProgram.longest)
    private let network: NetworkMode
    private let blocksUnixSockets: Bool

    /// What is decided about a call. Those from `socket` on are blocks of code that look at the arguments.
    private enum Decision: UInt8 {
        case allow
        case refuse
        case socket
        case socketpair
        case sendWithFlagsThird
        case sendWithFlagsFourth
        case ioctl
        case schedule
        case prlimit
        case setpriority
        case ioprioSet
    }

    init(network: NetworkMode, blocksUnixSockets: Bool, options: SandboxOptions, processor: Processor) {
        self.network = network
        self.blocksUnixSockets = blocksUnixSockets
        withUnsafeTemporaryAllocation(of: Decision.self, capacity: SystemCall.numbers) { decisions in
            decisions.initialize(repeating: .allow)
            decide(options: options) { call, decision in
                if let number = call.number(on: processor) {
                    decisions[Int(number)] = decision
                }
            }
            assemble(UnsafeBufferPointer(decisions), on: processor)
        }
    }

    // MARK: What is closed

    private func decide(options: SandboxOptions, _ decide: (SystemCall, Decision) -> Void) {
        if network.isBlocked || blocksUnixSockets {
            decide(.socket, .socket)
            decide(.socketpair, .socketpair)
            // It makes and connects sockets without the calls for that.
            for call in SystemCall.ioUring {
                decide(call, .refuse)
            }
        }
        if case .proxyOnly = network {
            decide(.sendto, .sendWithFlagsFourth)
            decide(.sendmsg, .sendWithFlagsThird)
            decide(.sendmmsg, .sendWithFlagsFourth)
        }
        if !options.contains(.terminalInput) {
            decide(.ioctl, .ioctl)
        }
        if !options.contains(.otherProcesses) {
            for call in SystemCall.scheduling {
                decide(call, .schedule)
            }
            decide(.prlimit64, .prlimit)
            decide(.setpriority, .setpriority)
            decide(.ioprioSet, .ioprioSet)
        }
        for group in SystemCall.closed where !options.contains(group.option) {
            for call in group.calls {
                decide(call, .refuse)
            }
        }
    }

    /// What a block answers; what it does not answer is allowed.
    private func write(_ block: Decision, to program: inout SeccompAssembler) {
        switch block {
        case .allow, .refuse: break
        case .socket: writeSocket(to: &program)
        case .socketpair: writeSocketPair(to: &program)
        case .sendWithFlagsThird: refuseFastOpen(2, &program)
        case .sendWithFlagsFourth: refuseFastOpen(3, &program)
        case .ioctl:
            // The kernel looks at the low 32 bits of the command only, and so does this.
            program.load(.argument(1))
            for command: UInt32 in [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */] {
                program.when(.equal, command) { $0.answer(.refuse(notPermitted)) }
            }
        case .schedule: refuseUnlessEqual(0, 0, &program)
        case .prlimit:
            program.load(.argument(0))
            program.unless(.equal, 0) { program in
                // Reading is fine: then the pointer to new limits is NULL, both halves of it.
                for half in [SeccompAssembler.Field.argument(2), .upperArgument(2)] {
                    program.load(half)
                    program.unless(.equal, 0) { $0.answer(.refuse(notPermitted)) }
                }
            }
        // The first argument says what the second one counts: processes (0; for ioprio_set 1), groups or users.
        case .setpriority:
            refuseUnlessEqual(0, 0, &program)
            refuseUnlessEqual(1, 0, &program)
        case .ioprioSet:
            refuseUnlessEqual(0, 1, &program)
            refuseUnlessEqual(1, 0, &program)
        }
        program.answer(.allow)
    }

    private func writeSocket(to program: inout SeccompAssembler) {
        program.load(.argument(0))
        program.when(.equal, unix) { $0.answer(blocksUnixSockets ? .refuse(accessDenied) : .allow) }
        switch network {
        case .allowAll: break
        case .blocked: refuseFamily(&program)
        case .proxyOnly: allowTCP(&program)
        }
    }

    private func writeSocketPair(to program: inout SeccompAssembler) {
        if network.isBlocked {
            program.load(.argument(0))
            program.unless(.equal, unix) { $0.answer(.refuse(accessDenied)) }
        }
        if blocksUnixSockets {
            refuseDatagramPairs(&program)
        }
    }

    // MARK: How it is put together

    private mutating func assemble(_ decisions: UnsafeBufferPointer<Decision>, on processor: Processor) {
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
        // The numbers at which the decision changes. The last one decides about all numbers from it on.
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: decisions.count) { starts in
            starts[0] = 0
            var count = 1
            for number in 1..<decisions.count where decisions[number] != decisions[number - 1] {
                starts[count] = UInt16(number)
                count += 1
            }
            let tree = assembler.instructions.count
            bisect(UnsafeBufferPointer(rebasing: starts[..<count]), decisions)
            writeBlocks(jumpedToFrom: tree)
        }
    }

    /// A leaf that needs a block jumps to its number for now.
    private mutating func bisect(_ starts: UnsafeBufferPointer<UInt16>, _ decisions: UnsafeBufferPointer<Decision>) {
        if starts.count > 1 {
            let middle = starts.count / 2
            let branch = assembler.branch(.greaterOrEqual, UInt32(starts[middle]))
            bisect(UnsafeBufferPointer(rebasing: starts[..<middle]), decisions)
            assembler.landTrue(branch)
            bisect(UnsafeBufferPointer(rebasing: starts[middle...]), decisions)
            return
        }
        switch decisions[Int(starts[0])] {
        case .allow: assembler.answer(.allow)
        case .refuse: assembler.answer(.refuse(notPermitted))
        case let block: assembler.jump(to: block.rawValue)
        }
    }

    /// Puts every block that is jumped to behind the tree, once, and lets the jumps land there.
    private mutating func writeBlocks(jumpedToFrom tree: Int) {
        let end = assembler.instructions.count
        var next = Decision.socket.rawValue
        while let block = Decision(rawValue: next) {
            if assembler.land(in: tree..<end, jumpsTo: next) {
                write(block, to: &assembler)
            }
            next += 1
        }
    }
}

private let accessDenied = UInt32(13)
private let notPermitted = UInt32(1)
private let familyNotSupported = UInt32(97)
private let unix = UInt32(1)

private func refuseUnlessEqual(_ argument: UInt32, _ value: UInt32, _ program: inout SeccompAssembler) {
    program.load(.argument(argument))
    program.unless(.equal, value) { $0.answer(.refuse(notPermitted)) }
}

/// TCP Fast Open connects while it sends, past Landlock's look at connect(2).
private func refuseFastOpen(_ flags: UInt32, _ program: inout SeccompAssembler) {
    program.load(.argument(flags))
    program.and(0x2000_0000)
    program.unless(.equal, 0) { $0.answer(.refuse(accessDenied)) }
}

/// Refuses the loaded address family. Libraries take a netlink family that this kernel does not have for granted, but not
/// one that they may not use: libaudit, and with it su(1), would fail.
private func refuseFamily(_ program: inout SeccompAssembler) {
    program.when(.equal, 16 /* AF_NETLINK */) { $0.answer(.refuse(familyNotSupported)) }
    program.answer(.refuse(accessDenied))
}

/// Of the loaded address family, TCP, whose ports Landlock mediates, and nothing that Landlock takes for something else:
/// no MPTCP, no UDP.
private func allowTCP(_ program: inout SeccompAssembler) {
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
