// SPDX-License-Identifier: Apache-2.0

/// How a command is to be run. What is nil is as it is in the program itself, or unlimited.
public struct CommandOptions: Sendable {
    /// Where a standard stream of the command leads.
    public enum Stream: Equatable, Sendable {
        /// /dev/null.
        case null
        /// A pipe, whose other end the caller gets.
        case pipe
        /// A descriptor of the caller.
        case descriptor(Int32)
        /// Of standard error: where standard output leads.
        case standardOutput
    }

    /// The most that the kernel gives to the command. The order is that of `NONO_LIMIT_*`.
    public struct Limits: Equatable, Sendable {
        public var processes: UInt64?
        public var cpuSeconds: UInt64?
        public var fileSize: UInt64?
        public var openFiles: UInt64?
        public var memory: UInt64?

        public init() {}
    }

    /// The program and its arguments.
    public var arguments: [[UInt8]]
    /// `NAME=VALUE` entries, in the order in which the command sees them.
    public var environment: [[UInt8]] = []
    public var allowsLoaderVariables = false
    /// Where a program without a slash in its name is looked for, as PATH has it.
    public var searchPath: [UInt8]?
    public var directory: Path?
    public var standardInput = Stream.null
    public var standardOutput = Stream.pipe
    public var standardError = Stream.pipe
    public var limits = Limits()
    public var user: UInt32?
    public var group: UInt32?
    public var mask: UInt32?
    /// Nanoseconds.
    public var timeout: Int64?
    /// Return when the program runs, or throw when it cannot; otherwise at once, and the end tells.
    public var waitsForStart = true

    public init(arguments: [[UInt8]]) {
        self.arguments = arguments
    }
}
