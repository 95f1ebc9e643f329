// SPDX-License-Identifier: Apache-2.0

import NonoCore
import Testing

@testable import NonoLinux

private let rows: [(version: Int32, files: UInt64, network: UInt64, scopes: UInt64, size: Int)] = [
    (1, 0x1fff, 0, 0, 8), (2, 0x3fff, 0, 0, 8), (3, 0x7fff, 0, 0, 8), (4, 0x7fff, 3, 0, 16), (5, 0xffff, 3, 0, 16),
    (6, 0xffff, 3, 3, 24), (7, 0xffff, 3, 3, 24), (8, 0xffff, 3, 3, 24), (9, 0x1ffff, 3, 3, 24),
    (10, 0x1ffff, 15, 3, 24), (99, 0x1ffff, 15, 3, 24),
]

private func grant(_ path: String, _ access: AccessMode, mode: UInt32) throws -> Grant {
    let target = ResolvedPath(path: Path(path), identity: ObjectIdentity(device: 1, inode: 2, mode: mode))
    return target.identity.isDirectory
        ? try Grant(directory: Path(path), resolvedTo: target, access: access)
        : try Grant(file: Path(path), resolvedTo: target, access: access)
}

@Suite struct LandlockPlanTests {
    @Test(arguments: rows)
    func whatEachABIEnforces(row: (version: Int32, files: UInt64, network: UInt64, scopes: UInt64, size: Int)) throws {
        let abi = try #require(LandlockABI.used(onKernel: row.version))
        #expect(abi.files.rawValue == row.files)
        #expect(abi.network.rawValue == row.network)
        #expect(abi.scopes.rawValue == row.scopes)
        #expect(abi.attributeSize == row.size)
        let plan = try LandlockPlan(for: CapabilitySet(), abi: abi)
        #expect(plan.handledFiles.rawValue == row.files)
        #expect(plan.handledNetwork.rawValue == 0, "an open network is not handled")
        #expect(plan.scopes.rawValue == row.scopes, "all is scoped that can be")
        #expect(abi.sharesDomain == (row.version >= 8))
    }

    @Test func optionsLeaveScopesOut() throws {
        let abi = try #require(LandlockABI.used(onKernel: 6))
        func scopes(_ options: SandboxOptions) throws -> UInt64 {
            try LandlockPlan(for: CapabilitySet(), options: options, abi: abi).scopes.rawValue
        }
        #expect(try scopes([]) == 3)
        #expect(try scopes(.signals) == 1)
        #expect(try scopes(.abstractUnixSockets) == 2)
        #expect(try scopes(.all) == 0)
    }

    @Test(arguments: [Int32(0), -1, -38, -95])
    func noABI(version: Int32) {
        #expect(LandlockABI.used(onKernel: version) == nil)
    }

    @Test(
        arguments: [
            // (ABI, directory: read, write, read+write; file: the same)
            (1, [0xd, 0x17b2, 0x17bf, 0x5, 0x2, 0x7]), (2, [0xd, 0x37b2, 0x37bf, 0x5, 0x2, 0x7]),
            (3, [0xd, 0x77b2, 0x77bf, 0x5, 0x4002, 0x4007]), (6, [0xd, 0x77b2, 0x77bf, 0x5, 0x4002, 0x4007]),
            (9, [0xd, 0x177b2, 0x177bf, 0x5, 0x14002, 0x14007]),
        ] as [(Int32, [UInt64])])
    func rightsOfAGrant(version: Int32, expected: [UInt64]) throws {
        let abi = try #require(LandlockABI.used(onKernel: version))
        var caps = CapabilitySet()
        for mode in [0o040755, 0o100644] as [UInt32] {
            for access in [AccessMode.read, .write, .readWrite] {
                caps.add(try grant("/x", access, mode: mode))
            }
        }
        let plan = try LandlockPlan(for: caps, abi: abi)
        #expect(plan.grants.map { plan.rule(for: $0).rights.rawValue } == expected)
    }

    @Test func devicesMayBeControlledWhereTheyMayBeWritten() throws {
        func rights(_ path: String, _ access: AccessMode, _ mode: UInt32) throws -> UInt64 {
            LandlockPlan.rights(of: try grant(path, access, mode: mode)).rawValue
        }
        #expect(try rights("/dev", .readWrite, 0o040755) == 0x1f7bf)
        #expect(try rights("/dev/shm", .write, 0o040755) == 0x1f7b2)
        #expect(try rights("/dev/null", .write, 0o020666) == 0x1c002)
        #expect(try rights("/srv/disk", .readWrite, 0o060600) == 0x1c007)
        #expect(try rights("/dev", .read, 0o040755) == 0xd)
        #expect(try rights("/dev/null", .read, 0o020666) == 0x5)
        #expect(try rights("/device", .readWrite, 0o040755) == 0x177bf)
        #expect(try rights("/proc", .readWrite, 0o040755) == 0x177bf)
        #expect(try rights("/dev/log", .write, 0o140666) == 0x14002)
    }

    @Test(arguments: [Int32(1), 2, 3])
    func aProxyThatCannotBeTheOnlyPortIsAnError(version: Int32) throws {
        let abi = try #require(LandlockABI.used(onKernel: version))
        var caps = CapabilitySet()
        caps.network = .proxyOnly(port: 80)
        let error = #expect(throws: NonoError.self) { try LandlockPlan(for: caps, abi: abi) }
        #expect(error?.code == .sandboxInit)
        #expect(error?.diagnostic == .unsupportedPlatformFeature)
        #expect(
            error?.message
                == "Sandbox initialization failed: Network filtering requested but kernel Landlock ABI doesn't "
                + "support it (requires V4+). Refusing to start without network restrictions.")
        caps.network = .blocked
        #expect(try LandlockPlan(for: caps, abi: abi).handledNetwork.isEmpty, "seccomp closes it")
    }

    @Test func aProxyIsTheOnlyPort() throws {
        let abi = try #require(LandlockABI.used(onKernel: 4))
        var caps = CapabilitySet()
        caps.network = .proxyOnly(port: 3128)
        let plan = try LandlockPlan(for: caps, abi: abi)
        #expect(plan.handledNetwork.rawValue == 3)
        #expect(plan.portRules == [LandlockPlan.PortRule(port: 3128, rights: .connectTCP)])
        caps.network = .proxyOnly(port: 0)
        #expect(try LandlockPlan(for: caps, abi: abi).portRules.isEmpty)
    }

    @Test func supportTexts() {
        let parts = [
            "Basic filesystem access control", "File rename across directories (Refer)", "File truncation (Truncate)",
            "TCP network filtering", "Device ioctl filtering", "Process scoping",
        ]
        for version in 1...10 {
            let shown = min(version, 6)
            let info = support(forKernelABI: Int32(version))
            #expect(info.isSupported && info.platform == "linux")
            #expect(
                info.details
                    == "Landlock available (Landlock V\(shown), features: "
                    + parts[..<shown].joined(separator: ", ") + ")")
        }
        let none = support(forKernelABI: -38)
        #expect(!none.isSupported)
        #expect(none.details == "Landlock not available. Requires Linux kernel 5.13+ with Landlock enabled.")
    }
}
