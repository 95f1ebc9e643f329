// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// NONO_EMBEDDED=1 builds what ships on Linux: Embedded Swift, a library of a few hundred kilobytes that needs
// nothing but libc. Otherwise the same sources build as ordinary Swift, which `swift test` needs.
// NONO_LINK_FLAGS holds what scripts/build-library.sh finds out about the toolchain and the header.
let embedded = Context.environment["NONO_EMBEDDED"] == "1"
let linkFlags = (Context.environment["NONO_LINK_FLAGS"] ?? "").split(separator: " ").map(String.init)

var swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableExperimentalFeature("CImplementation"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-warnings-as-errors"]),
]
if embedded {
    swiftSettings += [
        .enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"]),
    ]
}

let cSettings: [CSetting] = [
    .unsafeFlags(
        ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fvisibility=hidden"] + (embedded ? ["-Os"] : []))
]

// Each system compiles its own backend, and leaves out the files of the other. What tests on Linux has the call of
// macOS too, and a stand-in for the system's functions in it.
#if os(Linux)
    let backends: [Target.Dependency] = ["NonoDarwin", "NonoLinux"]
    let hasStandIn = !embedded
    let cOfOthers = ["path_macos.c"] + (hasStandIn ? [] : ["seatbelt.c"])
    let abiOfOthers = ["NoCommands.swift"]
#else
    let backends: [Target.Dependency] = ["NonoDarwin"]
    let hasStandIn = false
    let cOfOthers = [
        "block.c", "capabilities.c", "command.c", "descriptors.c", "files.c", "keeper.c", "landlock.c", "launch.c",
        "pool.c", "random.c", "raw_clone.c", "registry.c", "restrict.c", "slot.c", "stop_signal.c", "template.c",
        "thread_list.c", "threads.c",
    ]
    let abiOfOthers = ["Commands.swift"]
#endif
let standIn: [Target.Dependency] = hasStandIn ? ["SeatbeltStandIn"] : []
let standInSettings: [SwiftSetting] = hasStandIn ? [.define("NONO_SEATBELT_STAND_IN")] : []

let package = Package(
    name: "libnono",
    platforms: [.macOS(.v13)],
    products: [
        .library(name: "nono", type: .dynamic, targets: ["NonoABI"])
    ],
    targets: [
        // Plain C: the module map over include/nono.h, every system call, the thread's last error.
        .target(name: "CNono", dependencies: standIn, exclude: cOfOthers, cSettings: cSettings),
        // What a sandbox is: grants, queries, saved states, platform rules. Pure: no system call, and of C only the
        // conversion of numbers.
        .target(name: "NonoCore", dependencies: ["CNono"], swiftSettings: swiftSettings),
        // What any Unix is asked about paths: where one leads, and to which object.
        .target(name: "NonoSystem", dependencies: ["CNono", "NonoCore"], swiftSettings: swiftSettings),
        // How macOS enforces a set: the text of the profile, on every system, and the call, on macOS.
        .target(
            name: "NonoDarwin", dependencies: ["CNono", "NonoCore"], swiftSettings: swiftSettings + standInSettings),
        // The functions of nono.h: unwrap, call, translate. No decisions.
        .target(
            name: "NonoABI",
            dependencies: ["CNono", "NonoCore", "NonoSystem"] + backends,
            exclude: abiOfOthers,
            swiftSettings: swiftSettings,
            linkerSettings: [.unsafeFlags(linkFlags)]),
        .testTarget(name: "NonoCoreTests", dependencies: ["NonoCore"], swiftSettings: swiftSettings),
        .testTarget(
            name: "NonoSystemTests", dependencies: ["NonoCore", "NonoSystem"], swiftSettings: swiftSettings),
        .testTarget(
            name: "NonoDarwinTests", dependencies: ["CNono", "NonoCore", "NonoDarwin"] + standIn,
            swiftSettings: swiftSettings + standInSettings),
    ]
)

#if os(Linux)
    package.targets += [
        // How Linux enforces a set: the Landlock table and plan, and the calls that put it in force.
        .target(name: "NonoLinux", dependencies: ["CNono", "NonoCore", "NonoSystem"], swiftSettings: swiftSettings),
        .testTarget(
            name: "NonoLinuxTests", dependencies: ["CNono", "NonoCore", "NonoSystem", "NonoLinux"],
            swiftSettings: swiftSettings),
    ]
#endif
if hasStandIn {
    package.targets.append(.target(name: "SeatbeltStandIn", path: "Tests/SeatbeltStandIn", cSettings: cSettings))
}
