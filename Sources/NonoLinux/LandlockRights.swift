// SPDX-License-Identifier: Apache-2.0

/// Access rights on files and directories, landlock(7). Values are those of `LANDLOCK_ACCESS_FS_*`.
struct FileRights: OptionSet, Equatable, Sendable {
    let rawValue: UInt64

    static let execute = FileRights(rawValue: 1 << 0)
    static let writeFile = FileRights(rawValue: 1 << 1)
    static let readFile = FileRights(rawValue: 1 << 2)
    static let readDirectory = FileRights(rawValue: 1 << 3)
    static let removeDirectory = FileRights(rawValue: 1 << 4)
    static let removeFile = FileRights(rawValue: 1 << 5)
    static let makeCharacterDevice = FileRights(rawValue: 1 << 6)
    static let makeDirectory = FileRights(rawValue: 1 << 7)
    static let makeRegular = FileRights(rawValue: 1 << 8)
    static let makeSocket = FileRights(rawValue: 1 << 9)
    static let makeFIFO = FileRights(rawValue: 1 << 10)
    static let makeBlockDevice = FileRights(rawValue: 1 << 11)
    static let makeSymbolicLink = FileRights(rawValue: 1 << 12)
    static let refer = FileRights(rawValue: 1 << 13)
    static let truncate = FileRights(rawValue: 1 << 14)
    static let ioctlDevice = FileRights(rawValue: 1 << 15)
    static let resolveUnix = FileRights(rawValue: 1 << 16)

    /// What the first ABI knows.
    static let first = FileRights(rawValue: (1 << 13) - 1)

    static let reading: FileRights = [.execute, .readFile, .readDirectory]
    /// Not the making of device nodes: a node opens the device it names, whatever directory it is in.
    static let writing: FileRights = [
        .writeFile, .truncate, .refer, .removeDirectory, .removeFile, .makeDirectory, .makeRegular, .makeSocket,
        .makeFIFO, .makeSymbolicLink, .resolveUnix,
    ]
    /// The rights that a rule on anything but a directory may have.
    static let onFile: FileRights = [
        .execute, .readFile, .writeFile, .truncate, .ioctlDevice, .resolveUnix,
    ]
}

/// Rights on ports, landlock(7). Values are those of `LANDLOCK_ACCESS_NET_*`.
struct NetworkRights: OptionSet, Equatable, Sendable {
    let rawValue: UInt64

    static let bindTCP = NetworkRights(rawValue: 1 << 0)
    static let connectTCP = NetworkRights(rawValue: 1 << 1)
    static let bindUDP = NetworkRights(rawValue: 1 << 2)
    static let connectOrSendUDP = NetworkRights(rawValue: 1 << 3)

    static let tcp: NetworkRights = [.bindTCP, .connectTCP]
}

/// What a domain keeps to itself, landlock(7). Values are those of `LANDLOCK_SCOPE_*`.
struct Scopes: OptionSet, Equatable, Sendable {
    let rawValue: UInt64

    static let abstractUnixSocket = Scopes(rawValue: 1 << 0)
    static let signal = Scopes(rawValue: 1 << 1)
}
