// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore
internal import NonoSystem

/// The control groups that hold a command to its limits, cgroups(7): made for it, and removed when it has ended.
///
/// A group limits all that the command starts together, whatever user it is. It takes a hierarchy in which this process
/// may make one: version 2 where the controllers are there for the taking, or else version 1.
final class ControlGroups {
    private(set) var memory: LimitMeans.Mean = .none
    private(set) var processes: LimitMeans.Mean = .none
    /// Open `cgroup.procs` files, for the command to enter; -1 for none.
    private(set) var descriptors: (Int32, Int32) = (-1, -1)
    private var directories: [Path] = []

    /// Makes the groups that the limits need, as far as this system has a place for them.
    func make(for limits: CommandOptions.Limits) throws(NonoError) {
        if limits.memory == nil && limits.processes == nil {
            return
        }
        let system = ControlGroupSystem()
        var wanted: [ControlGroupSystem.Controller] = []
        if limits.memory != nil { wanted.append(.memory) }
        if limits.processes != nil { wanted.append(.pids) }
        if let (parent, offered) = system.unifiedParent(for: wanted), let group = try makeGroup(below: parent) {
            if let limit = limits.memory, offered.contains(.memory) {
                try set("memory.max", of: group, to: limit)
                // Without swap there is nothing to limit; without the file, nothing to set.
                try set("memory.swap.max", of: group, to: 0, isOptional: true)
                try set("memory.oom.group", of: group, to: 1, isOptional: true)
                memory = .controlGroup2
            }
            if let limit = limits.processes, offered.contains(.pids) {
                try set("pids.max", of: group, to: limit)
                processes = .controlGroup2
            }
        }
        if let limit = limits.memory, memory == .none, let parent = system.separateParent(for: .memory),
            let group = try makeGroup(below: parent)
        {
            try set("memory.limit_in_bytes", of: group, to: limit)
            try set("memory.memsw.limit_in_bytes", of: group, to: limit, isOptional: true)
            memory = .controlGroup1
        }
        if let limit = limits.processes, processes == .none, let parent = system.separateParent(for: .pids),
            let group = try makeGroup(below: parent)
        {
            try set("pids.max", of: group, to: limit)
            processes = .controlGroup1
        }
    }

    deinit {
        closeDescriptors()
        for directory in directories {
            // What cannot be removed has survivors in it, which the result tells.
            _ = directory.withCString { nono_sys_remove_directory($0) }
        }
    }

    /// The command has entered by now.
    func closeDescriptors() {
        if descriptors.0 >= 0 { nono_sys_close(descriptors.0) }
        if descriptors.1 >= 0 { nono_sys_close(descriptors.1) }
        descriptors = (-1, -1)
    }

    /// Returns nil where none may be made after all: permissions say yes, but a sandbox that is in force says no.
    private func makeGroup(below parent: Path) throws(NonoError) -> Path? {
        var number = 0
        while true {
            let group = parent.appending("nono-\(nono_sys_process_id())-\(number)")
            let failure = group.withCString { nono_sys_make_directory($0) }
            if failure == -EEXIST {
                number += 1
                continue
            }
            if failure == -EACCES || failure == -EPERM || failure == -EROFS {
                return nil
            }
            try check(failure, group)
            directories.append(group)
            let entrance = group.appending("cgroup.procs")
            let descriptor = entrance.withCString { nono_sys_open_for_writing($0) }
            try check(min(descriptor, 0), entrance)
            if descriptors.0 < 0 {
                descriptors.0 = descriptor
            } else {
                descriptors.1 = descriptor
            }
            return group
        }
    }

    private func set(
        _ name: StaticString, of group: Path, to value: UInt64, isOptional: Bool = false
    ) throws(NonoError) {
        let file = group.appending("\(name)")
        let text = Array("\(value)".utf8)
        let failure = file.withCString { path in
            text.withUnsafeBufferPointer { nono_sys_write_file(path, $0.baseAddress, $0.count) }
        }
        if !(isOptional && failure == -ENOENT) {
            try check(failure, file)
        }
    }

    private func check(_ failure: Int32, _ path: Path) throws(NonoError) {
        if failure < 0 {
            throw NonoError(
                .io, "Cannot limit the command by \(path.text): \(systemErrorText(-failure))", diagnostic: .ioError,
                osError: -failure, path: path, spawnStage: NONO_SYS_LAUNCH_LIMITS.rawValue)
        }
    }
}

/// Where control groups of this process can be made.
struct ControlGroupSystem {
    enum Controller: Equatable {
        case memory
        case pids

        var name: StaticString { self == .memory ? "memory" : "pids" }
        var bytes: [UInt8] { Array("\(name)".utf8) }
    }

    private let mounts: [ControlGroupMount]
    /// The lines of /proc/self/cgroup: number, controllers, path.
    private let own: [(controllers: [UInt8], path: [UInt8])]

    init(mountinfo: [UInt8], own: [UInt8]) {
        mounts = lines(of: mountinfo).compactMap { ControlGroupMount(line: $0) }
        self.own = lines(of: own).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count == 3 ? ([UInt8](fields[1]), [UInt8](fields[2])) : nil
        }
    }

    init() {
        self.init(mountinfo: readFile("/proc/self/mountinfo"), own: readFile("/proc/self/cgroup"))
    }

    /// The group of version 2 below which one with these controllers can be made, or with those of them that are there:
    /// that of this process, which only the root of the hierarchy can be, or the one above it.
    func unifiedParent(for wanted: [Controller]) -> (group: Path, offered: [Controller])? {
        guard let mount = mounts.first(where: { $0.isUnified }),
            let path = own.first(where: { $0.controllers.isEmpty })?.path,
            let directory = mount.directory(of: path)
        else { return nil }
        var candidates = [directory]
        if directory.bytes.count > mount.point.bytes.count, let parent = directory.parent {
            candidates.append(parent)
        }
        var best: (group: Path, offered: [Controller])?
        for candidate in candidates {
            let available = words(readFile(candidate.appending("cgroup.subtree_control")))
            let offered = wanted.filter { available.contains($0.bytes) }
            if offered.count > best?.offered.count ?? 0 && isWritable(candidate) {
                best = (candidate, offered)
            }
        }
        return best
    }

    /// The group of this process in the version 1 hierarchy of a controller.
    func separateParent(for controller: Controller) -> Path? {
        guard let mount = mounts.first(where: { !$0.isUnified && $0.options.contains(controller.bytes) }),
            let path = own.first(where: { split($0.controllers).contains(controller.bytes) })?.path,
            let directory = mount.directory(of: path), isWritable(directory)
        else { return nil }
        return directory
    }

    private func isWritable(_ group: Path) -> Bool {
        [group, group.appending("cgroup.procs")].allSatisfy { path in path.withCString { nono_sys_may_write($0) } }
    }
}

/// One mounted hierarchy, as a line of /proc/PID/mountinfo tells it, proc_pid_mountinfo(5).
struct ControlGroupMount {
    let isUnified: Bool
    /// Of version 1: its controllers, among other things.
    let options: [[UInt8]]
    let point: Path
    /// The group that is mounted there.
    private let root: [UInt8]

    init?(line: [UInt8]) {
        let fields = line.split(separator: UInt8(ascii: " ")).map { [UInt8]($0) }
        guard let separator = fields.firstIndex(of: [UInt8(ascii: "-")]), separator >= 5, fields.count >= separator + 4
        else { return nil }
        let type = fields[separator + 1]
        guard type == Array("cgroup2".utf8) || type == Array("cgroup".utf8) else { return nil }
        isUnified = type.count == 7
        options = split(fields[separator + 3])
        root = fields[3]
        point = Path(fields[4])
    }

    /// Where a group is found, unless it is outside of what is mounted.
    func directory(of group: [UInt8]) -> Path? {
        let prefix = root == [Path.slash] ? [] : root
        guard group.starts(with: prefix) else { return nil }
        let rest = group[prefix.count...]
        guard rest.isEmpty || rest.first == Path.slash else { return nil }
        return Path(rest.count <= 1 ? point.bytes : point.bytes + rest)
    }
}

private func lines(of text: [UInt8]) -> [[UInt8]] {
    text.split(separator: UInt8(ascii: "\n")).map { [UInt8]($0) }
}

private func words(_ text: [UInt8]) -> [[UInt8]] {
    text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }.map { [UInt8]($0) }
}

private func split(_ list: [UInt8]) -> [[UInt8]] {
    list.split(separator: UInt8(ascii: ",")).map { [UInt8]($0) }
}

private func readFile(_ path: Path) -> [UInt8] {
    let most = 1 << 18
    return [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
        let length = path.withCString { nono_sys_read_file($0, buffer.baseAddress, most) }
        count = max(0, length)
    }
}

private func readFile(_ path: String) -> [UInt8] {
    readFile(Path(path))
}

extension Path {
    func appending(_ name: String) -> Path {
        Path((bytes == [Path.slash] ? [] : bytes) + [Path.slash] + Array(name.utf8))
    }

    /// The directory that an absolute path is in; nil for the root.
    var parent: Path? {
        guard let slash = bytes.lastIndex(of: Path.slash), bytes.count > 1 else { return nil }
        return Path(slash == 0 ? [Path.slash] : [UInt8](bytes[..<slash]))
    }
}
