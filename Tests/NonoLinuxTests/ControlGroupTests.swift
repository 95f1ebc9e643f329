// SPDX-License-Identifier: Apache-2.0

import Foundation
import NonoCore
import Testing

@testable import NonoLinux

/// A directory that looks like a mounted hierarchy of control groups, as far as looking for a place goes.
private final class Hierarchy {
    let root = NSTemporaryDirectory() + "nono-groups-\(UUID().uuidString)"

    /// Groups with the controllers that they hand down; nil: nothing may be written there.
    init(_ groups: [String: String?]) throws {
        for (group, controllers) in groups {
            let directory = root + group
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try (controllers ?? "memory pids\n")
                .write(toFile: directory + "/cgroup.subtree_control", atomically: false, encoding: .utf8)
            if controllers != nil {
                try "".write(toFile: directory + "/cgroup.procs", atomically: false, encoding: .utf8)
            }
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)
    }

    func mountinfo(root mounted: String = "/", type: String = "cgroup2 cgroup2 rw,nsdelegate") -> [UInt8] {
        Array(
            """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
            31 22 0:27 \(mounted) \(root) rw,nosuid,nodev shared:9 master:3 - \(type)

            """.utf8)
    }

    func unifiedParent(
        _ own: String, mounted: String = "/", for controllers: [ControlGroupSystem.Controller] = [.memory, .pids]
    ) -> String? {
        ControlGroupSystem(mountinfo: mountinfo(root: mounted), own: Array("1:name=systemd:/x\n0::\(own)\n".utf8))
            .unifiedParent(for: controllers).map { String($0.group.text.dropFirst(root.utf8.count)) }
    }
}

@Suite struct ControlGroupTests {
    @Test("A group that holds processes hands nothing down, so the place is beside it")
    func besideOurOwn() throws {
        let hierarchy = try Hierarchy([
            "": "cpu memory pids\n", "/user.slice": "cpu memory pids\n", "/user.slice/app.scope": "",
        ])
        #expect(hierarchy.unifiedParent("/user.slice/app.scope") == "/user.slice")
        #expect(hierarchy.unifiedParent("/user.slice") == "/user.slice")
        #expect(hierarchy.unifiedParent("/") == "")
    }

    @Test("Only controllers that are handed down can be had")
    func controllers() throws {
        let hierarchy = try Hierarchy(["": "cpu pids\n", "/a": ""])
        #expect(hierarchy.unifiedParent("/a", for: [.pids]) == "")
        #expect(hierarchy.unifiedParent("/a", for: [.memory]) == nil)
        // The limit on memory is left to others.
        #expect(hierarchy.unifiedParent("/a", for: [.memory, .pids]) == "")
        // "pids" is a word of the list, not a part of one.
        #expect(try Hierarchy(["": "xpids pidsx\n"]).unifiedParent("/", for: [.pids]) == nil)
    }

    @Test("Where nothing may be written there is no place")
    func permissions() throws {
        let hierarchy = try Hierarchy(["": nil, "/a": nil])
        #expect(hierarchy.unifiedParent("/a") == nil)
    }

    @Test("A container sees a part of the hierarchy only")
    func partOfAHierarchy() throws {
        let hierarchy = try Hierarchy(["": "memory pids\n", "/inner": ""])
        #expect(hierarchy.unifiedParent("/docker/1/inner", mounted: "/docker/1") == "")
        #expect(hierarchy.unifiedParent("/docker/1", mounted: "/docker/1") == "")
        #expect(hierarchy.unifiedParent("/docker/12", mounted: "/docker/1") == nil)
        #expect(hierarchy.unifiedParent("/elsewhere", mounted: "/docker/1") == nil)
        // Outside of our namespace.
        #expect(hierarchy.unifiedParent("/../other") == nil)
    }

    @Test("Version 1 has a hierarchy for each controller")
    func versionOne() throws {
        let hierarchy = try Hierarchy(["/a": ""])
        let system = ControlGroupSystem(
            mountinfo: hierarchy.mountinfo(type: "cgroup cgroup rw,pids"), own: Array("8:pids:/a\n4:memory:/\n".utf8))
        #expect(system.separateParent(for: .pids)?.text == hierarchy.root + "/a")
        #expect(system.separateParent(for: .memory) == nil)
        #expect(system.unifiedParent(for: [.pids]) == nil)
    }

    @Test(
        "What is no such list is nothing", arguments: ["", "\n", "31", "31 22 0:27 / /x rw -", "a b c d e f - cgroup2"])
    func malformed(mountinfo: String) {
        let system = ControlGroupSystem(mountinfo: Array(mountinfo.utf8), own: Array("0::/\n:\nx".utf8))
        #expect(system.unifiedParent(for: [.pids]) == nil)
        #expect(system.separateParent(for: .pids) == nil)
    }
}
