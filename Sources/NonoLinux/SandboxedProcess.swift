// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore
internal import NonoSystem

/// A command that runs in a sandbox, with all that it starts. Freeing it ends all of them.
public final class SandboxedProcess {
    /// How a command is, or was.
    public struct Status: Sendable {
        public var hasEnded: Bool
        /// 0 if it was never started.
        public var pid: Int32
        /// The exit status, or the negated number of the signal that ended it.
        public var exitCode: Int32
        /// `NONO_PROCESS_*`: why it was brought to its end.
        public var cause: UInt32
        /// `NONO_SPAWN_STAGE_*`: where starting it failed, or 0; and the errno of that.
        public var failedStage: UInt32
        public var failedDetail: UInt32
        public var osError: Int32
        public var leavesSurvivors: Bool
    }

    private let process: OpaquePointer
    private let sandbox: PreparedSandbox
    private let limits: ResourceLimits
    private let controlGroups: ControlGroups
    private var streams: Streams

    private init(
        _ process: OpaquePointer, in sandbox: PreparedSandbox, limits: ResourceLimits, controlGroups: ControlGroups,
        streams: consuming Streams
    ) {
        self.process = process
        self.sandbox = sandbox
        self.limits = limits
        self.controlGroups = controlGroups
        self.streams = streams
    }

    /// Starts a command. The corresponding kernel calls are `clone` and `execve`.
    public static func start(
        _ options: CommandOptions, in sandbox: PreparedSandbox
    ) throws(NonoError) -> SandboxedProcess {
        let command = try ResolvedCommand(options, caps: sandbox.caps)
        let controlGroups = ControlGroups()
        try controlGroups.make(for: options.limits)
        let limits = try ResourceLimits(options, controlGroups: controlGroups)
        var streams = try Streams(options)
        var launched: OpaquePointer?
        let failure = sandbox.withRestriction { restriction, scope in
            command.withLaunch { launch in
                launch.restriction = restriction
                launch.scope = scope
                sandbox.place(&launch)
                launch.stdio = streams.ofCommand
                launch.groups = controlGroups.descriptors
                limits.copy(to: &launch)
                return nono_sys_launch(&launch, &launched)
            }
        }
        streams.closeCommandEnds()
        controlGroups.closeDescriptors()
        guard failure == 0, let launched else {
            throw NonoError(
                .io, "Cannot create a process: \(systemErrorText(-failure))", diagnostic: .ioError, osError: -failure,
                spawnStage: NONO_SYS_LAUNCH_PROCESS.rawValue)
        }
        let process = SandboxedProcess(
            launched, in: sandbox, limits: limits, controlGroups: controlGroups, streams: streams)
        if options.waitsForStart {
            nono_sys_process_wait_for_start(launched)
            let status = process.status
            if status.failedStage != 0 {
                throw process.startFailure(status)
            }
        }
        return process
    }

    deinit {
        nono_sys_process_free(process)
    }

    /// By which means limits are enforced.
    public var limitMeans: LimitMeans { limits.means }

    /// What this kernel leaves open in the sandbox of the command.
    public var unenforced: Unenforced { sandbox.unenforced }

    /// The state of things now. It does not change any more once the command has ended.
    public var status: Status {
        var outcome = nono_sys_outcome_of_process()
        nono_sys_process_outcome(process, &outcome)
        return Status(
            hasEnded: outcome.has_ended, pid: outcome.pid, exitCode: exitCode(outcome.status),
            cause: UInt32(outcome.cause), failedStage: UInt32(outcome.stage), failedDetail: UInt32(outcome.detail),
            osError: outcome.error, leavesSurvivors: outcome.leaves_survivors)
    }

    /// Polls as readable when the command has ended. Not to be read or closed.
    public var descriptor: Int32 { nono_sys_process_descriptor(process) }

    /// Waits so many nanoseconds, or without a limit, for the end. Returns early when a signal handler has run.
    public func wait(for timeout: Int64?) throws(NonoError) -> Status {
        try checkOwner()
        let current = status
        if current.hasEnded {
            return current
        }
        var entry = nono_sys_poll(fd: descriptor, for_writing: false, is_ready: false)
        _ = nono_sys_poll(&entry, 1, timeout ?? -1)
        return status
    }

    /// Throws in a forked child of the process that started the command.
    func checkOwner() throws(NonoError) {
        guard nono_sys_process_is_ours(process) else {
            throw NonoError(
                .invalidArgument, "the command was started by another process, which this one was forked from")
        }
    }

    /// Sends a signal to the command itself. Throws if it has ended.
    public func signal(_ number: Int32) throws(NonoError) {
        try checkOwner()
        guard (1...64).contains(number) else {
            throw NonoError(.invalidArgument, "invalid signal: \(number)")
        }
        let failure = nono_sys_process_signal(process, number)
        if failure < 0 {
            throw NonoError(
                .io, "Cannot signal the command: \(systemErrorText(-failure))", diagnostic: .ioError, osError: -failure)
        }
    }

    /// Has everything killed. Does not wait for it.
    public func end() {
        nono_sys_process_end(process)
    }

    /// The caller's end of a pipe: 0 of standard input, 1 and 2 of the outputs; -1 if there is none, or it was taken.
    func pipe(_ stream: UInt32) -> Int32 {
        streams.pipe(stream)
    }

    /// The same, which is the caller's to close from now on.
    public func takePipe(_ stream: UInt32) -> Int32 {
        nono_sys_lock()
        defer { nono_sys_unlock() }
        return streams.takePipe(stream)
    }

    func closePipe(_ stream: UInt32) {
        let pipe = takePipe(stream)
        if pipe >= 0 {
            nono_sys_close(pipe)
        }
    }

    /// What stood in the way of a command that was not started, in the words of the original.
    public func startFailure(_ status: Status) -> NonoError {
        var (what, end): (StaticString, StaticString) = ("failed to create a process", "")
        var detail: StaticString = ""
        switch nono_sys_launch_stage(status.failedStage) {
        case NONO_SYS_LAUNCH_STDIO: what = "failed to wire child stdio"
        case NONO_SYS_LAUNCH_CHDIR: what = "failed to chdir"
        case NONO_SYS_LAUNCH_LIMITS:
            (what, end) = ("failed to set resource limit (", ")")
            detail = limits.name(ofLimit: Int(status.failedDetail))
        case NONO_SYS_LAUNCH_PRIVILEGES:
            what = "failed to drop privileges: "
            detail = status.failedDetail == 0 ? "setgroups" : status.failedDetail == 1 ? "setgid" : "setuid"
        case NONO_SYS_LAUNCH_LANDLOCK:
            what = "sandbox apply failed: Landlock"
            if status.osError == EBADFD {
                end = "; prepare the sandbox again, which apply() gave up because a forked process has it too"
            }
        case NONO_SYS_LAUNCH_SECCOMP: what = "sandbox apply failed: seccomp"
        case NONO_SYS_LAUNCH_CAPABILITIES: what = "sandbox apply failed: capabilities"
        case NONO_SYS_LAUNCH_EXEC: what = "exec failed"
        default: break
        }
        return NonoError(
            .io, "\(what)\(detail): \(systemErrorText(status.osError))\(end)", diagnostic: .ioError,
            osError: status.osError, spawnStage: status.failedStage)
    }
}

private func exitCode(_ status: Int32) -> Int32 {
    let signal = status & 0x7f
    return signal == 0 ? status >> 8 & 0xff : -signal
}
