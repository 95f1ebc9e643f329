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
/// what is done in it. So nothing is sorted and no memory is taken.
struct SeccompProgram: Sendable {
    private let assembler: SeccompAssembler

    init(network: NetworkMode, blocksUnixSockets: Bool, options: SandboxOptions, processor: Processor) {
        assembler = withUnsafeTemporaryAllocation(of: SeccompAssembler.Label.self, capacity: SystemCall.numbers) {
            var writer = SeccompWriter(decisions: $0, processor: processor)
            writer.closeSockets(network, blocksUnixSockets: blocksUnixSockets)
            writer.closeOthers(options)
            writer.writeStart()
            return writer.assembler
        }
    }

    /// The program as the kernel takes it.
    func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<SeccompAssembler.Instruction>) -> Result
    ) -> Result {
        assembler.withUnsafeBufferPointer(body)
    }

    /// A copy of it.
    var instructions: [SeccompAssembler.Instruction] {
        withUnsafeBufferPointer { Array($0) }
    }
}

/// Writes the program: first the answers, which every path shares, then for calls whose arguments count what looks at
/// these, then the bisection, then the beginning.
private struct SeccompWriter {
    typealias Label = SeccompAssembler.Label

    private(set) var assembler = SeccompAssembler()
    private let processor: Processor
    /// Where each number leads.
    private let decisions: UnsafeMutableBufferPointer<Label>
    private let allow: Label
    private let notPermitted: Label
    private let accessDenied: Label
    private let familyNotSupported: Label
    private let kill: Label

    init(decisions: UnsafeMutableBufferPointer<Label>, processor: Processor) {
        self.decisions = decisions
        self.processor = processor
        allow = assembler.answer(.allow)
        notPermitted = assembler.answer(.refuse(1))
        accessDenied = assembler.answer(.refuse(13))
        familyNotSupported = assembler.answer(.refuse(97))
        kill = assembler.answer(.kill)
        decisions.initialize(repeating: allow)
    }

    private func decide(_ call: SystemCall, _ label: Label) {
        if let number = call.number(on: processor) {
            decisions[Int(number)] = label
        }
    }

    // MARK: What is closed

    mutating func closeSockets(_ network: NetworkMode, blocksUnixSockets: Bool) {
        if network.isBlocked || blocksUnixSockets {
            decide(.socket, socket(network, blocksUnixSockets: blocksUnixSockets))
            decide(.socketpair, socketPair(network, blocksUnixSockets: blocksUnixSockets))
            // It makes and connects sockets without the calls for that.
            for call in SystemCall.ioUring {
                decide(call, notPermitted)
            }
        }
        if case .proxyOnly = network {
            let withFlagsFourth = refuseFastOpen(flags: 3)
            decide(.sendto, withFlagsFourth)
            decide(.sendmsg, refuseFastOpen(flags: 2))
            decide(.sendmmsg, withFlagsFourth)
        }
    }

    mutating func closeOthers(_ options: SandboxOptions) {
        if !options.contains(.terminalInput) {
            decide(.ioctl, ioctl())
        }
        if !options.contains(.otherProcesses) {
            let ofItself = argument(0, is: 0, then: allow, else: notPermitted)
            for call in SystemCall.scheduling {
                decide(call, ofItself)
            }
            decide(.prlimit64, prlimit())
            // The first argument says what the second one counts: processes (0; for ioprio_set 1), groups or users.
            let second = argument(1, is: 0, then: allow, else: notPermitted)
            decide(.setpriority, argument(0, is: 0, then: second, else: notPermitted))
            decide(.ioprioSet, argument(0, is: 1, then: second, else: notPermitted))
        }
        for group in SystemCall.closed where !options.contains(group.option) {
            for call in group.calls {
                decide(call, notPermitted)
            }
        }
    }

    // MARK: What looks at arguments

    private mutating func equal(_ value: UInt32, then yes: Label, else no: Label) -> Label {
        assembler.compare(.equal, value, then: yes, else: no)
    }

    private mutating func argument(_ index: UInt32, is value: UInt32, then yes: Label, else no: Label) -> Label {
        assembler.load(.argument(index), then: equal(value, then: yes, else: no))
    }

    /// The type of a socket, without its flags.
    private mutating func loadSocketType(then next: Label) -> Label {
        assembler.load(.argument(1), then: assembler.and(0xf, then: next))
    }

    private mutating func socket(_ network: NetworkMode, blocksUnixSockets: Bool) -> Label {
        var family = allow
        if network.isBlocked {
            // Libraries take a netlink family that this kernel does not have for granted, but not one that they may not
            // use: libaudit, and with it su(1), would fail.
            family = equal(SocketFamily.netlink, then: familyNotSupported, else: accessDenied)
        }
        if case .proxyOnly = network {
            let tcp = onlyTCP()
            family = equal(SocketFamily.ipv6, then: tcp, else: family)
            family = equal(SocketFamily.ipv4, then: tcp, else: family)
        }
        family = equal(SocketFamily.unix, then: blocksUnixSockets ? accessDenied : allow, else: family)
        return assembler.load(.argument(0), then: family)
    }

    /// TCP, whose ports Landlock mediates, and nothing that Landlock takes for something else: no MPTCP, no UDP.
    private mutating func onlyTCP() -> Label {
        let isTCP = equal(0, then: allow, else: equal(6 /* IPPROTO_TCP */, then: allow, else: accessDenied))
        let protocolNumber = assembler.load(.argument(2), then: isTCP)
        return loadSocketType(then: equal(SocketType.stream, then: protocolNumber, else: accessDenied))
    }

    private mutating func socketPair(_ network: NetworkMode, blocksUnixSockets: Bool) -> Label {
        var result = allow
        if blocksUnixSockets {
            // One end of a pair of datagram sockets can send to any other socket; a stream is bound to its peer.
            result = equal(SocketType.packets, then: allow, else: accessDenied)
            result = loadSocketType(then: equal(SocketType.stream, then: allow, else: result))
        }
        if network.isBlocked {
            result = argument(0, is: SocketFamily.unix, then: result, else: accessDenied)
        }
        return result
    }

    /// TCP Fast Open connects while it sends, past Landlock's look at connect(2).
    private mutating func refuseFastOpen(flags: UInt32) -> Label {
        let isSet = equal(0, then: allow, else: accessDenied)
        return assembler.load(.argument(flags), then: assembler.and(0x2000_0000 /* MSG_FASTOPEN */, then: isSet))
    }

    private mutating func ioctl() -> Label {
        // The kernel looks at the low 32 bits of the command only, and so does this.
        let other = equal(0x541c /* TIOCLINUX */, then: notPermitted, else: allow)
        return assembler.load(.argument(1), then: equal(0x5412 /* TIOCSTI */, then: notPermitted, else: other))
    }

    private mutating func prlimit() -> Label {
        // Reading is fine: then the pointer to new limits is NULL, both halves of it.
        let upperHalf = equal(0, then: allow, else: notPermitted)
        let reads = argument(2, is: 0, then: assembler.load(.upperArgument(2), then: upperHalf), else: notPermitted)
        return argument(0, is: 0, then: allow, else: reads)
    }

    // MARK: Finding a call

    mutating func writeStart() {
        // The numbers at which the decision changes. The last one decides about all numbers from it on.
        var start = withUnsafeTemporaryAllocation(of: UInt16.self, capacity: decisions.count) { starts in
            starts[0] = 0
            var count = 1
            for number in 1..<decisions.count where decisions[number] != decisions[number - 1] {
                starts[count] = UInt16(number)
                count += 1
            }
            return bisect(UnsafeBufferPointer(rebasing: starts[..<count]))
        }
        if processor == .x86_64 {
            // x32 has the same processor value and numbers from 2^30 on. The number -1 is no call at all: tracers use
            // it to skip one.
            let foreign = equal(UInt32.max, then: allow, else: kill)
            start = assembler.compare(.greaterOrEqual, 0x4000_0000, then: foreign, else: start)
        }
        start = assembler.load(.number, then: start)
        _ = assembler.load(.processor, then: equal(processor.rawValue, then: start, else: kill))
    }

    private mutating func bisect(_ starts: UnsafeBufferPointer<UInt16>) -> Label {
        if starts.count == 1 {
            return decisions[Int(starts[0])]
        }
        let middle = starts.count / 2
        let upper = bisect(UnsafeBufferPointer(rebasing: starts[middle...]))
        let lower = bisect(UnsafeBufferPointer(rebasing: starts[..<middle]))
        return assembler.compare(.greaterOrEqual, UInt32(starts[middle]), then: upper, else: lower)
    }
}

private enum SocketFamily {
    static let unix = UInt32(1)
    static let ipv4 = UInt32(2)
    static let ipv6 = UInt32(10)
    static let netlink = UInt32(16)
}

private enum SocketType {
    static let stream = UInt32(1)
    static let packets = UInt32(5)
}
