// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore
internal import NonoSystem

/// Bytes of one output stream, kept up to a limit.
public struct CapturedOutput: ~Copyable {
    /// malloc'ed; nil if nothing was kept.
    public private(set) var bytes: UnsafeMutablePointer<UInt8>?
    public private(set) var count = 0
    /// How many more there were.
    public private(set) var cut: UInt64 = 0
    private var capacity = 0
    private let most: UInt64

    public init(most: UInt64) {
        self.most = most
    }

    deinit {
        nono_sys_free(bytes)
    }

    /// Gives the memory away.
    public mutating func take() -> UnsafeMutablePointer<UInt8>? {
        defer { bytes = nil }
        return bytes
    }

    /// Room for at least so many bytes more, all of which need not be used.
    fileprivate mutating func room(for size: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity - count < size {
            capacity = max(capacity * 2, count + size)
            bytes = nono_sys_resize(bytes, capacity)
        }
        return bytes.unsafelyUnwrapped + count
    }

    /// Counts bytes that were put into the room.
    fileprivate mutating func keep(_ size: Int) {
        let kept = min(UInt64(size), most - UInt64(count))
        count += Int(kept)
        cut += UInt64(size) - kept
    }
}

/// What talking to a command takes from its caller.
public struct Conversation {
    /// For its standard input, which is closed behind it.
    public var input: UnsafeBufferPointer<UInt8>
    /// How much is kept of each output stream.
    public var mostOutput = UInt64.max
    /// Called with each piece of output as it comes (1: standard output, 2: error), and, with 0 and no bytes, when a
    /// signal handler has run. False ends the command.
    public var listener: ((_ stream: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool)?

    public init(input: UnsafeBufferPointer<UInt8>) {
        self.input = input
    }
}

private let pieceSize = 65536

extension SandboxedProcess {
    /// Feeds and drains the pipes of a command until it has ended, and closes them.
    ///
    /// Returns when everything that belongs to the command has ended, and not when the pipes have: a process outside
    /// that was handed one cannot delay it. Throws if the listener ended it.
    public func communicate(
        _ conversation: Conversation, output: inout CapturedOutput, error: inout CapturedOutput
    ) throws(NonoError) {
        try checkOwner()
        var fed = 0
        var isCancelled = false
        for stream: UInt32 in 0...2 where pipe(stream) >= 0 {
            _ = nono_sys_set_nonblocking(pipe(stream))
        }
        if conversation.input.isEmpty {
            closePipe(0)
        }
        var hasEnded = false
        while !hasEnded {
            feed(conversation.input, &fed)
            if isCancelled {
                end()
            }
            if !waitForMore() && !isCancelled {
                isCancelled = !hear(0, UnsafeBufferPointer(start: nil, count: 0), conversation)
            }
            // Before the pipes: then all that belongs to the command is in them.
            hasEnded = status.hasEnded
            drain(1, into: &output, conversation, &isCancelled, isLast: hasEnded)
            drain(2, into: &error, conversation, &isCancelled, isLast: hasEnded)
        }
        for stream: UInt32 in 0...2 {
            closePipe(stream)
        }
        if isCancelled {
            throw NonoError(.unknown, "The command was ended because its output was refused", diagnostic: .cancelled)
        }
    }

    /// False if a signal came instead.
    private func waitForMore() -> Bool {
        var entries = (
            nono_sys_poll(fd: descriptor, for_writing: false, is_ready: false),
            nono_sys_poll(fd: pipe(1), for_writing: false, is_ready: false),
            nono_sys_poll(fd: pipe(2), for_writing: false, is_ready: false),
            nono_sys_poll(fd: pipe(0), for_writing: true, is_ready: false)
        )
        return withUnsafeMutableBytes(of: &entries) { bytes in
            let entries = bytes.bindMemory(to: nono_sys_poll.self)
            return nono_sys_poll(entries.baseAddress, entries.count, -1) != -EINTR
        }
    }

    private func feed(_ input: UnsafeBufferPointer<UInt8>, _ fed: inout Int) {
        let fd = pipe(0)
        guard fd >= 0, let start = input.baseAddress else { return }
        while fed < input.count {
            let written = nono_sys_write(fd, start + fed, min(pieceSize, input.count - fed))
            if written == -EAGAIN {
                return
            }
            if written < 0 {
                break
            }
            fed += written
        }
        // All is said, or nobody listens.
        closePipe(0)
    }

    /// Reads what there is, and no more: somebody outside may go on writing.
    private func drain(
        _ stream: UInt32, into kept: inout CapturedOutput, _ conversation: Conversation, _ isCancelled: inout Bool,
        isLast: Bool
    ) {
        let fd = pipe(stream)
        var left = fd < 0 ? 0 : nono_sys_readable(fd)
        // Cancelled, what is still in the pipe at the end is kept all the same.
        while left > 0 && (!isCancelled || isLast) {
            // Memory is taken for what there is: a command that writes nothing costs none.
            let room = kept.room(for: min(pieceSize, left))
            let length = nono_sys_read(fd, room, min(pieceSize, left))
            if length <= 0 {
                return
            }
            left -= length
            if !isCancelled {
                isCancelled = !hear(
                    stream, UnsafeBufferPointer(start: UnsafePointer(room), count: length), conversation)
            }
            kept.keep(length)
        }
    }

    private func hear(_ stream: UInt32, _ piece: UnsafeBufferPointer<UInt8>, _ conversation: Conversation) -> Bool {
        conversation.listener?(stream, piece) ?? true
    }
}
