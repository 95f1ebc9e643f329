// SPDX-License-Identifier: Apache-2.0

/// What a sandbox closes by default and may be left open. Raw values are those of `NONO_ALLOW_*` in nono.h.
public struct SandboxOptions: OptionSet, Equatable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// add_key, request_key, keyctl: keyrings(7).
    public static let keyrings = SandboxOptions(rawValue: 1 << 0)
    /// Shared memory, message queues and semaphores of sysvipc(7).
    public static let sysvIPC = SandboxOptions(rawValue: 1 << 1)
    /// TIOCSTI and TIOCLINUX: typing into the terminal, ioctl_tty(2).
    public static let terminalInput = SandboxOptions(rawValue: 1 << 2)
    /// bpf(2).
    public static let bpf = SandboxOptions(rawValue: 1 << 3)
    /// perf_event_open(2).
    public static let perfEvents = SandboxOptions(rawValue: 1 << 4)
    /// userfaultfd(2).
    public static let userfaultfd = SandboxOptions(rawValue: 1 << 5)
    /// Kernel modules, kexec, swap, reboot, accounting, quotas, I/O ports, the kernel log.
    public static let kernelAdministration = SandboxOptions(rawValue: 1 << 6)
    /// mount(2) and its newer forms, pivot_root(2).
    public static let mounts = SandboxOptions(rawValue: 1 << 7)
    /// open_by_handle_at(2), fanotify(7).
    public static let fileHandles = SandboxOptions(rawValue: 1 << 8)
    /// Setting the clock, the host name and the domain name.
    public static let clockAndHostname = SandboxOptions(rawValue: 1 << 9)
    /// Limits, priorities and scheduling of other processes and threads.
    public static let otherProcesses = SandboxOptions(rawValue: 1 << 10)
    /// The capabilities(7) that lead out of a sandbox.
    public static let capabilities = SandboxOptions(rawValue: 1 << 11)
    /// Signals to processes outside.
    public static let signals = SandboxOptions(rawValue: 1 << 12)
    /// Abstract unix sockets of processes outside, unix(7).
    public static let abstractUnixSockets = SandboxOptions(rawValue: 1 << 13)

    public static let all = SandboxOptions(rawValue: (1 << 14) - 1)
}
