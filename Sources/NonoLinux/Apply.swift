// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore
internal import NonoSystem

/// A descriptor that is closed when its owner is done with it.
struct FileDescriptor: ~Copyable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    /// Stands for no descriptor.
    static var none: FileDescriptor { FileDescriptor(-1) }

    deinit {
        if number >= 0 {
            nono_sys_close(number)
        }
    }
}

/// Puts the sandbox of a set in force, for good and for every thread of the process.
///
/// Everything that can fail is done before anything is restricted, as far as the kernel lets us; `nono_sys_restrict` says
/// how. The corresponding kernel calls are `landlock_create_ruleset`, `landlock_add_rule`, `prctl`, `seccomp`,
/// `landlock_restrict_self` and `capset`.
public func applySandbox(_ caps: CapabilitySet, options: SandboxOptions = []) throws(NonoError) {
    let abi = try kernelABI()
    let plan = try SandboxPlan(for: caps, options: options, abi: abi)
    var outcome = try restrict(by: plan, abi)
    // A child that was forked meanwhile has the ruleset too, and could add to it.
    var attempts = 16
    while UInt32(outcome.stage) == NONO_SYS_STAGE_RULESETS.rawValue && outcome.error == EAGAIN && attempts > 0 {
        outcome = try restrict(by: plan, abi)
        attempts -= 1
    }
    let isDone = UInt32(outcome.stage) == NONO_SYS_STAGE_DONE.rawValue
    var layer = nono_sys_status(
        allowed: options.rawValue, unenforced: plan.unenforced.rawValue, layers: isDone ? 1 : 0,
        landlock_abi: abi.version, blocks_network: caps.network.isBlocked, allows_proxy: caps.network != .blocked,
        blocks_unix_sockets: caps.blocksUnixSockets, is_incomplete: outcome.is_incomplete)
    nono_sys_add_layer(&layer)
    if !isDone {
        throw .unrestricted(outcome)
    }
}

private func restrict(by plan: SandboxPlan, _ abi: LandlockABI) throws(NonoError) -> nono_sys_outcome {
    let forks = nono_sys_forks()
    let ruleset = try createRuleset(plan.landlock)
    try addRules(plan.landlock, to: ruleset.number)
    return plan.seccomp.withUnsafeBufferPointer { program in
        var restriction = nono_sys_restriction(
            ruleset: ruleset.number, shares_domain: abi.sharesDomain, program: program.baseAddress,
            program_length: UInt16(program.count), dropped_capabilities: plan.droppedCapabilities.rawValue,
            forks: forks)
        var outcome = nono_sys_outcome()
        nono_sys_restrict(&restriction, &outcome)
        return outcome
    }
}

/// What this kernel would leave open in a sandbox of the set.
public func unenforced(
    _ caps: CapabilitySet, options: SandboxOptions = []
) throws(NonoError) -> Unenforced {
    let abi = try kernelABI()
    _ = try LandlockPlan(for: caps, options: options, abi: abi)
    return SandboxPlan.unenforced(by: abi, for: caps, options: options)
}

func kernelABI() throws(NonoError) -> LandlockABI {
    guard let abi = LandlockABI.used(onKernel: nono_sys_landlock_abi()) else {
        throw .sandboxInit(
            "No supported Landlock ABI detected (last error: ABI V1: filesystem access probe failed: fully incompatible"
                + " access-rights: BitFlags<AccessFs>(0b1111111111111, Execute | WriteFile | ReadFile | ReadDir |"
                + " RemoveDir | RemoveFile | MakeChar | MakeDir | MakeReg | MakeSock | MakeFifo | MakeBlock | MakeSym))",
            diagnostic: .unsupportedPlatformFeature)
    }
    return abi
}

/// The kernel's ruleset for a plan, which has no rule yet.
func createRuleset(_ plan: LandlockPlan) throws(NonoError) -> FileDescriptor {
    let created = nono_sys_landlock_create_ruleset(
        plan.handledFiles.rawValue, plan.handledNetwork.rawValue, plan.scopes.rawValue, plan.abi.attributeSize)
    if created < 0 {
        throw .sandboxInit(
            "No supported Landlock ABI detected (last error: ABI V1: ruleset creation probe failed: failed to create a"
                + " ruleset: \(systemErrorText(-created)))",
            osError: -created)
    }
    return FileDescriptor(created)
}

/// Adds every rule of a plan to its ruleset.
func addRules(_ plan: LandlockPlan, to ruleset: Int32) throws(NonoError) {
    for position in plan.grants.indices {
        let object = try openGranted(plan.grants, at: position)
        let failure = nono_sys_landlock_add_path(ruleset, object.number, plan.rights(at: position).rawValue)
        if failure < 0 {
            let path = plan.grants[position].resolved
            throw .sandboxInit(
                "Cannot add Landlock rule for \(path.text): failed to add a rule: \(systemErrorText(-failure))"
                    + " (filesystem may not support Landlock)",
                osError: -failure, path: path)
        }
    }
    for rule in plan.portRules {
        let failure = nono_sys_landlock_add_port(ruleset, rule.port, rule.rights.rawValue)
        if failure < 0 {
            throw .sandboxInit(
                "Cannot add Landlock rule for TCP port \(rule.port): failed to add a rule: \(systemErrorText(-failure))",
                osError: -failure)
        }
    }
}

/// Opens what was granted, and nothing else that has come to its place: no link is followed, and the object must be the
/// one that was there.
private func openGranted(_ grants: [Grant], at position: Int) throws(NonoError) -> FileDescriptor {
    // The path is copied by the field; see rights(at:).
    let length = grants[position].resolved.bytes.count
    let opened = withUnsafeTemporaryAllocation(byteCount: length + 1, alignment: 1) { path in
        grants[position].resolved.bytes.withUnsafeBytes { path.copyMemory(from: $0) }
        path[length] = 0
        return path.withMemoryRebound(to: CChar.self) { nono_sys_open_object($0.baseAddress) }
    }
    if opened == -ELOOP {
        throw .replaced(grants[position], by: "a symbolic link is on the way to it")
    }
    if opened < 0 {
        let path = grants[position].resolved
        throw NonoError(
            .unknown, "Landlock path error: failed to open \"\(path.text)\": \(systemErrorText(-opened))",
            diagnostic: .ioError, osError: -opened, path: path)
    }
    let object = FileDescriptor(opened)
    let identity = try identify(object.number) { osError in
        let path = grants[position].resolved
        return NonoError(
            .unknown, "Landlock path error: failed to examine \"\(path.text)\": \(systemErrorText(osError))",
            diagnostic: .ioError, osError: osError, path: path)
    }
    if identity != grants[position].identity {
        throw .replaced(grants[position], by: "a \(identity.typeName) with another identity is there now")
    }
    return object
}

extension NonoError {
    /// Why the threads of the process could not be restricted, and what is true of it now.
    fileprivate static func unrestricted(_ outcome: nono_sys_outcome) -> NonoError {
        var (what, end): (StaticString, StaticString) = ("failed to restrict ", "")
        var subject = outcome.thread != 0 ? threadName(outcome) : "the calling thread"
        var hasReason = true
        switch nono_sys_stage(UInt32(outcome.stage)) {
        case NONO_SYS_STAGE_COMMANDS:
            (what, subject) = ("", "commands run in sandboxes of their own")
            end =
                ", and what watches them shares the memory of this process: wait for them, or end them, before"
            hasReason = false
        case NONO_SYS_STAGE_RULESETS: (what, subject) = ("failed to give up sandboxes of another process", "")
        case NONO_SYS_STAGE_NO_NEW_PRIVS: (what, subject) = ("failed to set no_new_privs", "")
        case NONO_SYS_STAGE_LIST_THREADS: (what, subject) = ("failed to stop the other threads", "")
        case NONO_SYS_STAGE_STOP_THREAD:
            what = ""
            end =
                " did not answer within 3 seconds; is a signal blocked in it by a system call of its own, or is it stopped?"
            hasReason = false
        case NONO_SYS_STAGE_SECCOMP where outcome.thread != 0:
            (what, end) = ("", " has a seccomp filter of its own, so that it cannot have ours")
            hasReason = false
        case NONO_SYS_STAGE_SECCOMP: (what, subject) = ("failed to install the seccomp filter", "")
        case NONO_SYS_STAGE_CAPABILITIES: (what, subject) = ("failed to drop capabilities", "")
        default: break
        }
        let reason = hasReason ? ": \(systemErrorText(outcome.error))" : ""
        let warning: StaticString =
            outcome.is_incomplete
            ? ". THE PROCESS IS RESTRICTED IN PART: end it, and do not rely on this sandbox" : ""
        return .sandboxInit(
            "Failed to restrict self: \(what)\(subject)\(end)\(reason)\(warning)", osError: outcome.error)
    }

    private static func threadName(_ outcome: nono_sys_outcome) -> String {
        var name = outcome.name
        let text = withUnsafeBytes(of: &name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.isEmpty ? "thread \(outcome.thread)" : "thread \(outcome.thread) (\(text))"
    }

    static func sandboxInit(
        _ reason: String, diagnostic: Diagnostic = .other, osError: Int32 = 0, path: Path? = nil
    ) -> NonoError {
        NonoError(
            .sandboxInit, "Sandbox initialization failed: \(reason)", diagnostic: diagnostic, osError: osError,
            path: path)
    }

    fileprivate static func replaced(_ grant: Grant, by what: String) -> NonoError {
        .sandboxInit(
            "\(grant.resolved.text) is not the \(grant.identity.typeName) that was granted: \(what)."
                + " Grant the path again if it is meant.",
            path: grant.resolved)
    }
}
