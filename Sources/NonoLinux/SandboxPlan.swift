// SPDX-License-Identifier: Apache-2.0

internal import NonoCore

/// All that is put in force for a set: Landlock, seccomp and capabilities. Made from the set, the options and the ABI
/// alone; `apply` carries it out, and the answers about a sandbox read it.
struct SandboxPlan: Sendable {
    let landlock: LandlockPlan
    let seccomp: SeccompProgram
    let droppedCapabilities: Capabilities
    let unenforced: Unenforced

    /// Throws when this ABI cannot enforce what the set asks for.
    init(
        for caps: CapabilitySet, options: SandboxOptions, abi: LandlockABI, processor: Processor = .native
    ) throws(NonoError) {
        landlock = try LandlockPlan(for: caps, options: options, abi: abi)
        seccomp = SeccompProgram(
            network: caps.network, blocksUnixSockets: caps.blocksUnixSockets, options: options, processor: processor)
        droppedCapabilities = options.contains(.capabilities) ? [] : .leadingOut
        unenforced = SandboxPlan.unenforced(by: abi, for: caps, options: options)
    }

    static func unenforced(by abi: LandlockABI, for caps: CapabilitySet, options: SandboxOptions) -> Unenforced {
        var open: Unenforced = .metadata
        if !abi.files.contains(.truncate) {
            open.insert(.truncation)
        }
        if !abi.files.contains(.ioctlDevice) {
            open.insert(.deviceControl)
        }
        if !abi.scopes.contains(.signal) && !options.contains(.signals) {
            open.insert(.signals)
        }
        if !caps.blocksUnixSockets {
            if !abi.scopes.contains(.abstractUnixSocket) && !options.contains(.abstractUnixSockets) {
                open.insert(.abstractUnixSockets)
            }
            if !abi.files.contains(.resolveUnix) {
                open.insert(.pathnameUnixSockets)
            }
        }
        return open
    }
}

/// Sets of capabilities(7), a bit for each number.
struct Capabilities: OptionSet, Equatable, Sendable {
    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    private init(_ number: UInt64) {
        rawValue = 1 << number
    }

    /// SETGID and SETUID.
    static let changingUser: Capabilities = [Capabilities(6), Capabilities(7)]

    /// Those with which a process reaches around its sandbox or changes the system for others. What ordinary work of
    /// root needs stays: CHOWN, DAC_OVERRIDE, FOWNER, SETUID, SETGID, KILL and such.
    static let leadingOut: Capabilities = [
        Capabilities(2),  // DAC_READ_SEARCH: open_by_handle_at
        Capabilities(9),  // LINUX_IMMUTABLE
        Capabilities(12),  // NET_ADMIN
        Capabilities(13),  // NET_RAW
        Capabilities(16),  // SYS_MODULE
        Capabilities(17),  // SYS_RAWIO
        Capabilities(19),  // SYS_PTRACE
        Capabilities(20),  // SYS_PACCT
        Capabilities(21),  // SYS_ADMIN
        Capabilities(22),  // SYS_BOOT
        Capabilities(25),  // SYS_TIME
        Capabilities(26),  // SYS_TTY_CONFIG
        Capabilities(27),  // MKNOD
        Capabilities(30),  // AUDIT_CONTROL
        Capabilities(32),  // MAC_OVERRIDE
        Capabilities(33),  // MAC_ADMIN
        Capabilities(34),  // SYSLOG
        Capabilities(35),  // WAKE_ALARM
        Capabilities(36),  // BLOCK_SUSPEND
        Capabilities(37),  // AUDIT_READ
        Capabilities(38),  // PERFMON
        Capabilities(39),  // BPF
        Capabilities(40),  // CHECKPOINT_RESTORE
    ]
}
