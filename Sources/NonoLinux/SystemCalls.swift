// SPDX-License-Identifier: Apache-2.0

internal import NonoCore

/// The processors whose system calls are known here. Values are the AUDIT_ARCH_* of <linux/audit.h>, by which seccomp(2)
/// tells them apart.
enum Processor: UInt32, Sendable, CaseIterable {
    case x86_64 = 0xc000_003e
    case aarch64 = 0xc000_00b7

    /// The one that this library was built for.
    static var native: Processor {
        #if arch(x86_64)
            .x86_64
        #elseif arch(arm64)
            .aarch64
        #else
            #error("seccomp needs the system call numbers of this processor: add them to SystemCalls.swift")
        #endif
    }
}

/// A system call by name, with its number on each processor; nil where it does not exist.
struct SystemCall: Equatable, Sendable {
    let name: StaticString
    let x86_64: UInt32?
    let aarch64: UInt32?

    init(_ name: StaticString, _ x86_64: UInt32?, _ aarch64: UInt32?) {
        self.name = name
        self.x86_64 = x86_64
        self.aarch64 = aarch64
    }

    func number(on processor: Processor) -> UInt32? {
        switch processor {
        case .x86_64: x86_64
        case .aarch64: aarch64
        }
    }

    static func == (left: SystemCall, right: SystemCall) -> Bool {
        left.x86_64 == right.x86_64 && left.aarch64 == right.aarch64
    }

    /// More than any number here.
    static let numbers = 512

    static let socket = SystemCall("socket", 41, 198)
    static let socketpair = SystemCall("socketpair", 53, 199)
    static let sendto = SystemCall("sendto", 44, 206)
    static let sendmsg = SystemCall("sendmsg", 46, 211)
    static let sendmmsg = SystemCall("sendmmsg", 307, 269)
    static let ioctl = SystemCall("ioctl", 16, 29)
    static let prlimit64 = SystemCall("prlimit64", 302, 261)
    static let setpriority = SystemCall("setpriority", 141, 140)
    static let ioprioSet = SystemCall("ioprio_set", 251, 30)

    /// Calls that act on another process unless their first argument is 0.
    static let scheduling = [
        SystemCall("sched_setparam", 142, 118), SystemCall("sched_setscheduler", 144, 119),
        SystemCall("sched_setaffinity", 203, 122), SystemCall("sched_setattr", 314, 274),
    ]

    static let ioUring = [
        SystemCall("io_uring_setup", 425, 425), SystemCall("io_uring_enter", 426, 426),
        SystemCall("io_uring_register", 427, 427),
    ]

    /// Calls that are closed whatever their arguments, by the option that leaves them open.
    static let closed: [(option: SandboxOptions, calls: [SystemCall])] = [
        (
            .keyrings,
            [SystemCall("add_key", 248, 217), SystemCall("request_key", 249, 218), SystemCall("keyctl", 250, 219)]
        ),
        (
            .sysvIPC,
            [
                SystemCall("shmget", 29, 194), SystemCall("shmat", 30, 196), SystemCall("shmctl", 31, 195),
                SystemCall("semget", 64, 190), SystemCall("semop", 65, 193), SystemCall("semctl", 66, 191),
                SystemCall("semtimedop", 220, 192), SystemCall("msgget", 68, 186), SystemCall("msgsnd", 69, 189),
                SystemCall("msgrcv", 70, 188), SystemCall("msgctl", 71, 187), SystemCall("mq_unlink", 241, 181),
            ]
        ),
        (.bpf, [SystemCall("bpf", 321, 280)]),
        (.perfEvents, [SystemCall("perf_event_open", 298, 241)]),
        (.userfaultfd, [SystemCall("userfaultfd", 323, 282)]),
        (
            .kernelAdministration,
            [
                SystemCall("kexec_load", 246, 104), SystemCall("kexec_file_load", 320, 294),
                SystemCall("init_module", 175, 105), SystemCall("finit_module", 313, 273),
                SystemCall("delete_module", 176, 106), SystemCall("swapon", 167, 224), SystemCall("swapoff", 168, 225),
                SystemCall("reboot", 169, 142), SystemCall("acct", 163, 89), SystemCall("quotactl", 179, 60),
                SystemCall("quotactl_fd", 443, 443), SystemCall("iopl", 172, nil), SystemCall("ioperm", 173, nil),
                SystemCall("syslog", 103, 116), SystemCall("vhangup", 153, 58),
                SystemCall("lookup_dcookie", 212, 18), SystemCall("file_setattr", 469, 469),
            ]
        ),
        (
            .mounts,
            [
                SystemCall("mount", 165, 40), SystemCall("umount2", 166, 39), SystemCall("pivot_root", 155, 41),
                SystemCall("open_tree", 428, 428), SystemCall("move_mount", 429, 429), SystemCall("fsopen", 430, 430),
                SystemCall("fsconfig", 431, 431), SystemCall("fsmount", 432, 432), SystemCall("fspick", 433, 433),
                SystemCall("mount_setattr", 442, 442), SystemCall("open_tree_attr", 467, 467),
            ]
        ),
        (
            .fileHandles,
            [
                SystemCall("open_by_handle_at", 304, 265), SystemCall("fanotify_init", 300, 262),
                SystemCall("fanotify_mark", 301, 263),
            ]
        ),
        (
            .clockAndHostname,
            [
                SystemCall("settimeofday", 164, 170), SystemCall("clock_settime", 227, 112),
                SystemCall("clock_adjtime", 305, 266), SystemCall("adjtimex", 159, 171),
                SystemCall("sethostname", 170, 161), SystemCall("setdomainname", 171, 162),
            ]
        ),
    ]
}
