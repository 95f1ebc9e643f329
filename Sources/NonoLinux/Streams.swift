// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore
internal import NonoSystem

/// The standard streams of a command: the ends that it gets, and those that stay with the caller.
struct Streams: ~Copyable {
    /// Descriptors of one stream; -1 for none.
    private struct Ends {
        var command = Int32(-1)
        /// Of a pipe.
        var caller = Int32(-1)
        /// Whether the command's end is ours to close.
        var isOurs = true

        mutating func closeCommandEnd() {
            if isOurs && command >= 0 {
                nono_sys_close(command)
            }
            command = -1
        }

        mutating func close() {
            closeCommandEnd()
            if caller >= 0 {
                nono_sys_close(caller)
            }
            caller = -1
        }
    }

    private var ends = (Ends(), Ends(), Ends())

    init(_ options: CommandOptions) throws(NonoError) {
        try open(options)
    }

    deinit {
        var (input, output, error) = ends
        input.close()
        output.close()
        error.close()
    }

    /// What the command gets as its descriptors 0 to 2.
    var ofCommand: (Int32, Int32, Int32) { (ends.0.command, ends.1.command, ends.2.command) }

    /// Closes what the command has now, but for its ends of the pipes that it writes to: as long as these are open here
    /// too, the end of a pipe does not wake a caller who waits for the end of the command, which comes right behind it.
    mutating func closeCommandEnds() {
        ends.0.closeCommandEnd()
        if ends.1.caller < 0 { ends.1.closeCommandEnd() }
        if ends.2.caller < 0 { ends.2.closeCommandEnd() }
    }

    /// The caller's end of a pipe: 0 of standard input, 1 and 2 of the outputs; -1 if there is none.
    func pipe(_ stream: UInt32) -> Int32 {
        switch stream {
        case 0: ends.0.caller
        case 1: ends.1.caller
        case 2: ends.2.caller
        default: -1
        }
    }

    /// The same, which is the caller's to close from now on, and comes to its end with the command's.
    mutating func takePipe(_ stream: UInt32) -> Int32 {
        let taken = pipe(stream)
        switch stream {
        case 0: ends.0.caller = -1
        case 1:
            ends.1.caller = -1
            ends.1.closeCommandEnd()
        case 2:
            ends.2.caller = -1
            ends.2.closeCommandEnd()
        default: break
        }
        return taken
    }

    private mutating func open(_ options: CommandOptions) throws(NonoError) {
        ends.0 = try Streams.open(options.standardInput, isInput: true)
        ends.1 = try Streams.open(options.standardOutput, isInput: false)
        if case .standardOutput = options.standardError {
            ends.2 = Ends(command: ends.1.command, isOurs: false)
        } else {
            ends.2 = try Streams.open(options.standardError, isInput: false)
        }
    }

    private static func open(_ stream: CommandOptions.Stream, isInput: Bool) throws(NonoError) -> Ends {
        switch stream {
        case .descriptor(let fd): return Ends(command: try checked(fd), isOurs: false)
        case .pipe:
            var (read, write) = (Int32(-1), Int32(-1))
            try check(nono_sys_pipe(&read, &write))
            return isInput ? Ends(command: read, caller: write) : Ends(command: write, caller: read)
        case .null, .standardOutput:
            let opened = isInput ? nono_sys_open_empty() : nono_sys_open_sink()
            try check(min(opened, 0))
            return Ends(command: opened)
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

private func check(_ result: Int32) throws(NonoError) {
    if result < 0 {
        throw NonoError(
            .io, "Cannot open the standard streams of the command: \(systemErrorText(-result))", diagnostic: .ioError,
            osError: -result, spawnStage: NONO_SYS_LAUNCH_STDIO.rawValue)
    }
}
