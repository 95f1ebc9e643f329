// SPDX-License-Identifier: Apache-2.0

// Running commands in sandboxes of their own.

public import CNono
internal import NonoCore
internal import NonoLinux

@_cdecl("nono_sandbox_prepare") @implementation
public func nono_sandbox_prepare(
    _ caps: OpaquePointer?, _ options: UnsafePointer<NonoApplyOptions>?,
    _ outSandbox: UnsafeMutablePointer<OpaquePointer?>?
) -> NonoErrorCode {
    uncancelled { () throws(NonoError) in
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        let options = try optionsArgument(options)
        let out = try output(outSandbox, name: "out_sandbox")
        out.pointee = export(try PreparedSandbox.make(caps, options: options))
    }
}

@_cdecl("nono_prepared_sandbox_free") @implementation
public func nono_prepared_sandbox_free(_ sandbox: OpaquePointer?) {
    _ = uncancelled { () throws(NonoError) in release(sandbox, as: PreparedSandbox.self) }
}

@_cdecl("nono_sandbox_spawn") @implementation
public func nono_sandbox_spawn(
    _ sandbox: OpaquePointer?, _ argv: UnsafePointer<UnsafePointer<CChar>?>?,
    _ options: UnsafePointer<NonoSpawnOptions>?, _ outProcess: UnsafeMutablePointer<OpaquePointer?>?
) -> NonoErrorCode {
    uncancelled { () throws(NonoError) in
        let sandbox = try object(sandbox, as: PreparedSandbox.self, name: "sandbox")
        let options = try CommandOptions(argv, options)
        let out = try output(outProcess, name: "out_process")
        out.pointee = export(try SandboxedProcess.start(options, in: sandbox))
    }
}

@_cdecl("nono_process_wait") @implementation
public func nono_process_wait(
    _ process: OpaquePointer?, _ timeout: Int64, _ outStatus: UnsafeMutablePointer<NonoProcessStatus>?
) -> NonoErrorCode {
    uncancelled { () throws(NonoError) in
        let process = try object(process, as: SandboxedProcess.self, name: "process")
        let out = try output(outStatus, name: "out_status")
        try checkSize(out.pointee.struct_size, of: NonoProcessStatus.self, name: "status")
        let status = timeout == 0 ? process.status : try process.wait(for: timeout < 0 ? nil : timeout)
        out.pointee = NonoProcessStatus(
            struct_size: out.pointee.struct_size, unenforced: process.unenforced.rawValue, pid: status.pid,
            exit_code: status.exitCode, cause: status.cause, failed_stage: status.failedStage,
            failed_errno: status.osError, memory_limited_by: process.limitMeans.memory.rawValue,
            processes_limited_by: process.limitMeans.processes.rawValue, has_ended: status.hasEnded,
            leaves_survivors: status.leavesSurvivors)
    }
}

@_cdecl("nono_process_failure") @implementation
public func nono_process_failure(_ process: OpaquePointer?) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        let process = try object(process, as: SandboxedProcess.self, name: "process")
        let status = process.status
        return status.failedStage == 0 ? nil : copyOut(process.startFailure(status).message)
    }
}

@_cdecl("nono_process_signal") @implementation
public func nono_process_signal(_ process: OpaquePointer?, _ signal: Int32) -> NonoErrorCode {
    uncancelled { () throws(NonoError) in
        try object(process, as: SandboxedProcess.self, name: "process").signal(signal)
    }
}

@_cdecl("nono_process_kill") @implementation
public func nono_process_kill(_ process: OpaquePointer?) -> NonoErrorCode {
    uncancelled { () throws(NonoError) in
        try object(process, as: SandboxedProcess.self, name: "process").end()
    }
}

@_cdecl("nono_process_descriptor") @implementation
public func nono_process_descriptor(_ process: OpaquePointer?) -> Int32 {
    result(orOnError: -1) { () throws(NonoError) in
        try object(process, as: SandboxedProcess.self, name: "process").descriptor
    }
}

@_cdecl("nono_process_take_descriptor") @implementation
public func nono_process_take_descriptor(_ process: OpaquePointer?, _ stream: UInt32) -> Int32 {
    result(orOnError: -1) { () throws(NonoError) in
        try object(process, as: SandboxedProcess.self, name: "process").takePipe(stream)
    }
}

@_cdecl("nono_process_communicate") @implementation
public func nono_process_communicate(
    _ process: OpaquePointer?, _ communication: UnsafePointer<NonoCommunication>?,
    _ outOutput: UnsafeMutablePointer<NonoOutput>?
) -> NonoErrorCode {
    uncancelled { () throws(NonoError) in
        let process = try object(process, as: SandboxedProcess.self, name: "process")
        let conversation = try Conversation(communication)
        let out = try output(outOutput, name: "out_output")
        try checkSize(out.pointee.struct_size, of: NonoOutput.self, name: "output")
        var standardOutput = CapturedOutput(most: conversation.mostOutput)
        var standardError = CapturedOutput(most: conversation.mostOutput)
        defer {
            out.pointee = NonoOutput(
                struct_size: out.pointee.struct_size, stdout_bytes: take(&standardOutput),
                stdout_length: standardOutput.count, stdout_cut: standardOutput.cut,
                stderr_bytes: take(&standardError), stderr_length: standardError.count, stderr_cut: standardError.cut)
        }
        try process.communicate(conversation, output: &standardOutput, error: &standardError)
    }
}

@_cdecl("nono_process_free") @implementation
public func nono_process_free(_ process: OpaquePointer?) {
    _ = uncancelled { () throws(NonoError) in release(process, as: SandboxedProcess.self) }
}

/// Runs what waits: a thread that is cancelled halfway would leave locks and processes behind.
private func uncancelled(_ body: () throws(NonoError) -> Void) -> NonoErrorCode {
    let state = nono_sys_hold_cancellation()
    defer { nono_sys_release_cancellation(state) }
    return status(body)
}

private func take(_ output: inout CapturedOutput) -> UnsafeMutablePointer<CChar>? {
    output.take().map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: CChar.self) }
}

extension Conversation {
    fileprivate init(_ communication: UnsafePointer<NonoCommunication>?) throws(NonoError) {
        guard let communication = communication?.pointee else {
            self.init(input: UnsafeBufferPointer(start: nil, count: 0))
            return
        }
        try checkSize(communication.struct_size, of: NonoCommunication.self, name: "communication")
        if communication.input == nil && communication.input_length != 0 {
            throw NonoError(.invalidArgument, "input is NULL")
        }
        self.init(
            input: UnsafeBufferPointer(
                start: communication.input?.assumingMemoryBound(to: UInt8.self), count: communication.input_length))
        mostOutput = communication.max_output
        if let listener = communication.listener {
            let payload = communication.payload
            self.listener = { stream, bytes in
                bytes.withMemoryRebound(to: CChar.self) { listener(payload, stream, $0.baseAddress, $0.count) == 0 }
            }
        }
    }
}

extension CommandOptions {
    fileprivate init(
        _ argv: UnsafePointer<UnsafePointer<CChar>?>?, _ options: UnsafePointer<NonoSpawnOptions>?
    ) throws(NonoError) {
        self.init(arguments: strings(argv))
        guard let options = options?.pointee else { return }
        try checkSize(options.struct_size, of: NonoSpawnOptions.self, name: "options")
        let unknown = options.set & ~0x7ff
        if unknown != 0 {
            throw NonoError(.invalidArgument, "unknown options: 0x\(String(unknown, radix: 16))")
        }
        func isSet(_ field: UInt64) -> Bool { options.set & field != 0 }
        environment = strings(options.environment)
        allowsLoaderVariables = isSet(NONO_SPAWN_ALLOW_LOADER_VARIABLES)
        waitsForStart = !isSet(NONO_SPAWN_NO_WAIT)
        searchPath = options.search_path.map(string)
        directory = options.directory.map { Path(string($0)) }
        standardInput = try stream(options.stdin_mode, options.stdin_descriptor)
        standardOutput = try stream(options.stdout_mode, options.stdout_descriptor)
        standardError = try stream(options.stderr_mode, options.stderr_descriptor, isError: true)
        // What is longer than a century is for ever.
        if isSet(NONO_SPAWN_TIMEOUT) && options.timeout_ns < 1 << 62 { timeout = Int64(options.timeout_ns) }
        if isSet(NONO_SPAWN_MAX_PROCESSES) { limits.processes = options.max_processes }
        if isSet(NONO_SPAWN_MAX_CPU_SECONDS) { limits.cpuSeconds = options.max_cpu_seconds }
        if isSet(NONO_SPAWN_MAX_FILE_SIZE) { limits.fileSize = options.max_file_size }
        if isSet(NONO_SPAWN_MAX_OPEN_FILES) { limits.openFiles = options.max_open_files }
        if isSet(NONO_SPAWN_MAX_MEMORY) { limits.memory = options.max_memory }
        if isSet(NONO_SPAWN_USER) { user = options.user }
        if isSet(NONO_SPAWN_GROUP) { group = options.group }
        if isSet(NONO_SPAWN_UMASK) { mask = options.umask }
    }
}

private func stream(
    _ mode: UInt32, _ descriptor: Int32, isError: Bool = false
) throws(NonoError) -> CommandOptions.Stream {
    switch mode {
    case NONO_STDIO_NULL: return .null
    case NONO_STDIO_PIPE: return .pipe
    case NONO_STDIO_DESCRIPTOR: return .descriptor(descriptor)
    case NONO_STDIO_STDOUT where isError: return .standardOutput
    default: throw NonoError(.invalidArgument, "invalid mode of a standard stream: \(mode)")
    }
}

private func string(_ start: UnsafePointer<CChar>) -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(start: start, count: nono_sys_string_length(start)))
}

private func strings(_ list: UnsafePointer<UnsafePointer<CChar>?>?) -> [[UInt8]] {
    var result: [[UInt8]] = []
    guard let list else { return result }
    while let start = list[result.count] {
        result.append(string(start))
    }
    return result
}
