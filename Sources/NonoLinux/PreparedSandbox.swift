// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore
internal import NonoSystem

/// A sandbox that the kernel already knows: its ruleset with every rule, its seccomp program. Commands are run in it,
/// the process that made it stays as it is.
///
/// It holds the objects that were granted when it was made. A directory that is deleted and made again is another one,
/// and not covered. Immutable, so any number of threads may start commands in it at once.
public final class PreparedSandbox {
    public let caps: CapabilitySet
    public let unenforced: Unenforced
    private let ruleset: FileDescriptor
    /// A ruleset that does nothing but scope signals; none where the kernel cannot, or signals are left open.
    private let scope: FileDescriptor
    private let program: UnsafeMutableBufferPointer<nono_sys_instruction>
    private let dropped: Capabilities
    /// Sandboxes that stand ready; nil where commands could reach what runs them.
    private var pool: OpaquePointer?

    private init(
        _ caps: CapabilitySet, _ options: SandboxOptions, _ plan: SandboxPlan, ruleset: consuming FileDescriptor,
        scope: consuming FileDescriptor
    ) {
        self.caps = caps
        unenforced = plan.unenforced
        // A command that became another user could not be ended.
        dropped = plan.droppedCapabilities.union(nono_sys_may_end_any_user() ? [] : .changingUser)
        let scopeNumber = scope.number
        self.ruleset = ruleset
        self.scope = scope
        let instructions = plan.seccomp.instructions
        program = .allocate(capacity: instructions.count)
        _ = program.initialize(from: instructions)
        // What runs one command after the other must be out of their reach, and not take on what one of them did to it.
        let hasSlots =
            scopeNumber >= 0 && options.isDisjoint(with: [.otherProcesses, .capabilities, .keyrings])
        pool = withRestriction { nono_sys_pool_new($0, $1, hasSlots) }
    }

    /// The corresponding kernel calls are `landlock_create_ruleset` and `landlock_add_rule`.
    public static func make(
        _ caps: CapabilitySet, options: SandboxOptions = []
    ) throws(NonoError) -> PreparedSandbox {
        let abi = try kernelABI()
        let plan = try SandboxPlan(for: caps, options: options, abi: abi)
        let sandbox = try open(caps, options, plan)
        try addRules(plan.landlock, to: sandbox.ruleset.number)
        return sandbox
    }

    /// The sandbox without rules. A child that is forked from then on is known to have the ruleset too.
    private static func open(
        _ caps: CapabilitySet, _ options: SandboxOptions, _ plan: SandboxPlan
    ) throws(NonoError) -> PreparedSandbox {
        nono_sys_hold_forks()
        defer { nono_sys_release_forks() }
        let ruleset = try raised(try createRuleset(plan.landlock))
        var scope = FileDescriptor.none
        if plan.landlock.scopes.contains(.signal) {
            let created = nono_sys_landlock_create_ruleset(
                0, 0, Scopes.signal.rawValue, plan.landlock.abi.attributeSize)
            if created < 0 {
                throw .sandboxInit("failed to create a ruleset: \(systemErrorText(-created))", osError: -created)
            }
            scope = try raised(FileDescriptor(created))
        }
        return PreparedSandbox(caps, options, plan, ruleset: ruleset, scope: scope)
    }

    deinit {
        if let pool {
            nono_sys_pool_free(pool)
        }
        program.deallocate()
    }

    /// Has a launch take place in this sandbox.
    func place(_ launch: inout nono_sys_launch) {
        launch.pool = pool
    }

    /// Calls `body` with what the kernel is to be told in the command's process. Valid as long as the sandbox is.
    func withRestriction<Result>(
        _ body: (_ restriction: UnsafePointer<nono_sys_restriction>, _ scope: Int32) -> Result
    ) -> Result {
        var restriction = nono_sys_restriction(
            ruleset: ruleset.number, shares_domain: false, program: program.baseAddress,
            program_length: UInt16(program.count), dropped_capabilities: dropped.rawValue, forks: 0)
        return body(&restriction, scope.number)
    }
}

/// The same, out of the way of descriptors 0 to 2.
private func raised(_ descriptor: consuming FileDescriptor) throws(NonoError) -> FileDescriptor {
    if descriptor.number >= 3 {
        return descriptor
    }
    let duplicate = nono_sys_duplicate(descriptor.number)
    if duplicate < 0 {
        throw NonoError(
            .io, "Cannot duplicate a descriptor: \(systemErrorText(-duplicate))", diagnostic: .ioError,
            osError: -duplicate)
    }
    return FileDescriptor(duplicate)
}
