// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore

/// By which means the limits of a command are enforced that a control group is better at.
public struct LimitMeans: Equatable, Sendable {
    /// Raw values are those of `NONO_LIMITED_BY_*` in nono.h.
    public enum Mean: UInt32, Sendable {
        case none = 0
        /// setrlimit(2): for each process by itself (memory), or for all processes of the user (processes).
        case resourceLimit = 1
        /// A control group of version 1 or 2: for the command and all that it starts together.
        case controlGroup1 = 2
        case controlGroup2 = 3
    }

    public let memory: Mean
    public let processes: Mean
}

/// The limits of a command that its own process sets, setrlimit(2).
struct ResourceLimits {
    let means: LimitMeans
    private var limits: [nono_sys_limit] = []

    /// Throws if a limit that is asked for could not be enforced.
    init(_ options: CommandOptions, controlGroups: ControlGroups) throws(NonoError) {
        let limits = options.limits
        var means = (memory: controlGroups.memory, processes: controlGroups.processes)
        if let most = limits.processes, means.processes == .none {
            guard options.user != nil || !nono_sys_is_exempt_from_process_limit() else {
                throw NonoError(
                    .sandboxInit,
                    "max_processes cannot be enforced: RLIMIT_NPROC does not bind root, and no control group can be made"
                        + " here. Run the command as another user, or delegate the pids controller to this process.",
                    diagnostic: .unsupportedPlatformFeature, spawnStage: NONO_SYS_LAUNCH_LIMITS.rawValue)
            }
            means.processes = .resourceLimit
            self.limits.append(nono_sys_limit(resource: 6 /* RLIMIT_NPROC */, value: most))
        }
        if let most = limits.cpuSeconds {
            self.limits.append(nono_sys_limit(resource: 0 /* RLIMIT_CPU */, value: most))
        }
        if let most = limits.fileSize {
            self.limits.append(nono_sys_limit(resource: 1 /* RLIMIT_FSIZE */, value: most))
        }
        if let most = limits.openFiles {
            self.limits.append(nono_sys_limit(resource: 7 /* RLIMIT_NOFILE */, value: most))
        }
        if let most = limits.memory, means.memory == .none {
            means.memory = .resourceLimit
            self.limits.append(nono_sys_limit(resource: 9 /* RLIMIT_AS */, value: most))
        }
        self.means = LimitMeans(memory: means.memory, processes: means.processes)
    }

    /// Which limit `detail` of a failure in the stage of limits is about, as nono_py names it.
    func name(ofLimit detail: Int) -> StaticString {
        guard detail < limits.count else { return "control group" }
        switch limits[detail].resource {
        case 0: return "max_cpu_seconds"
        case 1: return "max_file_size_bytes"
        case 6: return "max_processes"
        case 7: return "max_open_files"
        default: return "max_memory_bytes"
        }
    }

    func copy(to launch: inout nono_sys_launch) {
        launch.limit_count = Int32(limits.count)
        withUnsafeMutableBytes(of: &launch.limits) { bytes in
            let slots = bytes.bindMemory(to: nono_sys_limit.self)
            for (position, limit) in limits.enumerated() {
                slots[position] = limit
            }
        }
    }
}
