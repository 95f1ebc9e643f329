// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore
internal import NonoSystem

/// A command whose every text is checked and resolved: what is left can fail in the kernel only.
struct ResolvedCommand {
    private let program: Path
    private let directory: Path?
    /// Terminated strings, one behind the other.
    private let arguments: [UInt8]
    private let environment: [UInt8]
    private let user: UInt32?
    private let group: UInt32?
    private let mask: UInt32?
    private let timeout: Int64?
    private let waitsForStart: Bool

    init(_ options: CommandOptions, caps: CapabilitySet) throws(NonoError) {
        guard let name = options.arguments.first else {
            throw NonoError(.invalidArgument, "command must not be empty")
        }
        if options.user == 0 {
            throw NonoError(.invalidArgument, "uid must be non-zero (0 is root; dropping to it is a no-op)")
        }
        if options.group == 0 {
            throw NonoError(.invalidArgument, "gid must be non-zero (0 is the root group; dropping to it is a no-op)")
        }
        if options.user != nil && nono_sys_may_change_user() && !nono_sys_may_end_any_user() {
            throw NonoError(
                .sandboxInit,
                "uid needs the capability CAP_KILL: without it, a command of another user cannot be ended",
                diagnostic: .unsupportedPlatformFeature, osError: EPERM, spawnStage: NONO_SYS_LAUNCH_PRIVILEGES.rawValue
            )
        }
        try checkEnvironment(options.environment, allowsLoaderVariables: options.allowsLoaderVariables)
        if let directory = options.directory {
            do throws(NonoError) {
                self.directory = try resolve(directory).path
            } catch {
                throw NonoError(
                    .unknown,
                    "Cannot resolve working directory '\(directory.text)': \(systemErrorText(error.osError))",
                    diagnostic: .configurationError, osError: error.osError, path: directory)
            }
        } else {
            directory = nil
        }
        program = try findProgram(Path(name), searchPath: options.searchPath)
        if !caps.blockedCommands.isEmpty {
            try caps.checkCommand([program] + [locate(program) ?? program])
        }
        arguments = terminated(options.arguments)
        environment = terminated(options.environment)
        user = options.user
        // A command of another user keeps no group of this one.
        group = options.group ?? options.user
        mask = options.mask
        timeout = options.timeout
        waitsForStart = options.waitsForStart
    }

    func withLaunch(_ body: (inout nono_sys_launch) -> Int32) -> Int32 {
        var launch = nono_sys_launch()
        launch.mask = mask.map { Int32($0 & 0o7777) } ?? -1
        launch.timeout = timeout ?? -1
        launch.changes_user = user != nil
        launch.user = user ?? 0
        launch.changes_group = group != nil
        launch.group = group ?? 0
        launch.reports_start = waitsForStart
        return program.withCString { program in
            launch.program = program
            return arguments.withUnsafeBufferPointer { arguments in
                launch.arguments = arguments.baseAddress
                launch.arguments_size = arguments.count
                return environment.withUnsafeBufferPointer { environment in
                    launch.environment = environment.baseAddress
                    launch.environment_size = environment.count
                    guard let directory else { return body(&launch) }
                    return directory.withCString { directory in
                        launch.directory = directory
                        return body(&launch)
                    }
                }
            }
        }
    }
}

private func terminated(_ texts: [[UInt8]]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(texts.reduce(0) { $0 + $1.count + 1 })
    for text in texts {
        result += text
        result.append(0)
    }
    return result
}
