// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore
internal import NonoSystem

/// The standard streams of a command while it is started: the ends that it gets, and those that stay with the caller.
struct Streams: ~Copyable {
    private var command: (Int32, Int32, Int32) = (-1, -1, -1)
    private var isOurs: (Bool, Bool, Bool) = (false, false, false)
    private var caller: (input: Int32, output: Int32, error: Int32) = (-1, -1, -1)

    init(_ options: CommandOptions) throws(NonoError) {
        try open(options)
    }

    deinit {
        for fd in [caller.input, caller.output, caller.error] where fd >= 0 {
            nono_sys_close(fd)
        }
        closeAll()
    }

    /// What the command gets as its descriptors 0 to 2.
    var ofCommand: (Int32, Int32, Int32) { command }

    mutating func closeCommandEnds() {
        closeAll()
        isOurs = (false, false, false)
    }

    mutating func takeCallerEnds() -> (input: Int32, output: Int32, error: Int32) {
        let taken = caller
        caller = (-1, -1, -1)
        return taken
    }

    private func closeAll() {
        if isOurs.0 { nono_sys_close(command.0) }
        if isOurs.1 { nono_sys_close(command.1) }
        if isOurs.2 { nono_sys_close(command.2) }
    }

    private mutating func open(_ options: CommandOptions) throws(NonoError) {
        switch options.standardInput {
        case .descriptor(let fd): command.0 = try checked(fd)
        case .pipe:
            try check(nono_sys_pipe(&command.0, &caller.input))
            isOurs.0 = true
        case .null, .standardOutput:
            command.0 = try checkedDescriptor(nono_sys_open_empty())
            isOurs.0 = true
        }
        switch options.standardOutput {
        case .descriptor(let fd): command.1 = try checked(fd)
        case .pipe:
            try check(nono_sys_pipe(&caller.output, &command.1))
            isOurs.1 = true
        case .null, .standardOutput:
            command.1 = try checkedDescriptor(nono_sys_open_sink())
            isOurs.1 = true
        }
        switch options.standardError {
        case .descriptor(let fd): command.2 = try checked(fd)
        case .pipe:
            try check(nono_sys_pipe(&caller.error, &command.2))
            isOurs.2 = true
        case .null:
            command.2 = try checkedDescriptor(nono_sys_open_sink())
            isOurs.2 = true
        case .standardOutput: command.2 = command.1
        }
    }
}

/// A descriptor of the caller, which must be open: the command would start without it.
private func checked(_ fd: Int32) throws(NonoError) -> Int32 {
    if fd < 0 || !nono_sys_is_open(fd) {
        throw NonoError(
            .invalidArgument, "descriptor \(fd) for a standard stream is not open", osError: EBADF,
            spawnStage: NONO_SYS_LAUNCH_STDIO.rawValue)
    }
    return fd
}

private func checkedDescriptor(_ result: Int32) throws(NonoError) -> Int32 {
    try check(min(result, 0))
    return result
}

private func check(_ result: Int32) throws(NonoError) {
    if result < 0 {
        throw NonoError(
            .io, "Cannot open the standard streams of the command: \(systemErrorText(-result))", diagnostic: .ioError,
            osError: -result, spawnStage: NONO_SYS_LAUNCH_STDIO.rawValue)
    }
}
