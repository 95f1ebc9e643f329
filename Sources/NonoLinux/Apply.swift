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

    deinit {
        nono_sys_close(number)
    }
}

/// Puts the sandbox of a set in force, for good.
///
/// Everything that can fail is done before anything is restricted, but for the last two calls. The corresponding kernel
/// calls are `landlock_create_ruleset`, `landlock_add_rule`, `prctl` and `landlock_restrict_self`.
public func applySandbox(_ caps: CapabilitySet) throws(NonoError) {
    guard let abi = LandlockABI.used(onKernel: nono_sys_landlock_abi()) else {
        throw .sandboxInit(
            "No supported Landlock ABI detected (last error: ABI V1: filesystem access probe failed: fully incompatible"
                + " access-rights: BitFlags<AccessFs>(0b1111111111111, Execute | WriteFile | ReadFile | ReadDir |"
                + " RemoveDir | RemoveFile | MakeChar | MakeDir | MakeReg | MakeSock | MakeFifo | MakeBlock | MakeSym))",
            diagnostic: .unsupportedPlatformFeature)
    }
    let plan = try LandlockPlan(for: caps, abi: abi)
    let ruleset = try makeRuleset(plan)

    var failure = nono_sys_no_new_privs()
    if failure < 0 {
        throw .sandboxInit(
            "Failed to restrict self: failed to set no_new_privs: \(systemErrorText(-failure))", osError: -failure)
    }
    failure = nono_sys_landlock_restrict_self(ruleset.number)
    if failure < 0 {
        throw .sandboxInit(
            "Failed to restrict self: failed to restrict the calling thread: \(systemErrorText(-failure))",
            osError: -failure)
    }
}

/// The kernel's ruleset for a plan, with every rule in it.
private func makeRuleset(_ plan: LandlockPlan) throws(NonoError) -> FileDescriptor {
    let created = nono_sys_landlock_create_ruleset(
        plan.handledFiles.rawValue, plan.handledNetwork.rawValue, plan.scopes.rawValue, plan.abi.attributeSize)
    if created < 0 {
        throw .sandboxInit(
            "No supported Landlock ABI detected (last error: ABI V1: ruleset creation probe failed: failed to create a"
                + " ruleset: \(systemErrorText(-created)))",
            osError: -created)
    }
    let ruleset = FileDescriptor(created)
    for rule in plan.pathRules {
        let object = try openGranted(rule)
        let failure = nono_sys_landlock_add_path(ruleset.number, object.number, rule.rights.rawValue)
        if failure < 0 {
            throw .sandboxInit(
                "Cannot add Landlock rule for \(rule.path.text): failed to add a rule: \(systemErrorText(-failure))"
                    + " (filesystem may not support Landlock)",
                osError: -failure, path: rule.path)
        }
    }
    for rule in plan.portRules {
        let failure = nono_sys_landlock_add_port(ruleset.number, rule.port, rule.rights.rawValue)
        if failure < 0 {
            throw .sandboxInit(
                "Cannot add Landlock rule for TCP port \(rule.port): failed to add a rule: \(systemErrorText(-failure))",
                osError: -failure)
        }
    }
    return ruleset
}

/// Opens what a rule is for, and nothing else that has come to its place: no link is followed, and the object must be
/// the one that was granted.
private func openGranted(_ rule: LandlockPlan.PathRule) throws(NonoError) -> FileDescriptor {
    let opened = rule.path.withCString { nono_sys_open_object($0) }
    if opened == -ELOOP {
        throw .replaced(rule, by: "a symbolic link is on the way to it")
    }
    if opened < 0 {
        throw NonoError(
            .unknown, "Landlock path error: failed to open \"\(rule.path.text)\": \(systemErrorText(-opened))",
            diagnostic: .ioError, osError: -opened, path: rule.path)
    }
    let object = FileDescriptor(opened)
    var found = nono_sys_identity()
    let failure = nono_sys_identify(object.number, &found)
    if failure < 0 {
        throw NonoError(
            .unknown, "Landlock path error: failed to examine \"\(rule.path.text)\": \(systemErrorText(-failure))",
            diagnostic: .ioError, osError: -failure, path: rule.path)
    }
    let identity = ObjectIdentity(device: found.device, inode: found.inode, mode: found.mode)
    if identity != rule.identity {
        throw .replaced(rule, by: "a \(identity.typeName) with another identity is there now")
    }
    return object
}

extension NonoError {
    fileprivate static func sandboxInit(
        _ reason: String, diagnostic: Diagnostic = .other, osError: Int32 = 0, path: Path? = nil
    ) -> NonoError {
        NonoError(
            .sandboxInit, "Sandbox initialization failed: \(reason)", diagnostic: diagnostic, osError: osError,
            path: path)
    }

    fileprivate static func replaced(_ rule: LandlockPlan.PathRule, by what: String) -> NonoError {
        .sandboxInit(
            "\(rule.path.text) is not the \(rule.identity.typeName) that was granted: \(what)."
                + " Grant the path again if it is meant.",
            path: rule.path)
    }
}
