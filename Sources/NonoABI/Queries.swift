// SPDX-License-Identifier: Apache-2.0

// Asking what a sandbox would allow.

public import CNono
internal import NonoCore
internal import NonoSystem

@_cdecl("nono_query_context_new") @implementation
public func nono_query_context_new(_ caps: OpaquePointer?) -> OpaquePointer? {
    result(orOnError: nil) { () throws(NonoError) in
        export(QueryContextHandle(try object(caps, as: CapabilitySetHandle.self, name: "caps").value))
    }
}

@_cdecl("nono_query_context_free") @implementation
public func nono_query_context_free(_ ctx: OpaquePointer?) {
    release(ctx, as: QueryContextHandle.self)
}

@_cdecl("nono_query_context_query_path") @implementation
public func nono_query_context_query_path(
    _ ctx: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ mode: UInt32,
    _ outResult: UnsafeMutablePointer<NonoQueryResult>?
) -> NonoErrorCode {
    answer(ctx, mode, outResult) { () throws(NonoError) in try textArgument(path, name: "path") }
}

@_cdecl("nono_query_context_query_path_bytes") @implementation
public func nono_query_context_query_path_bytes(
    _ ctx: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ length: Int, _ mode: UInt32,
    _ outResult: UnsafeMutablePointer<NonoQueryResult>?
) -> NonoErrorCode {
    answer(ctx, mode, outResult) { () throws(NonoError) in try bytesArgument(path, length, name: "path") }
}

@_cdecl("nono_query_context_query_network") @implementation
public func nono_query_context_query_network(
    _ ctx: OpaquePointer?, _ outResult: UnsafeMutablePointer<NonoQueryResult>?
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let caps = try object(ctx, as: QueryContextHandle.self, name: "ctx").value
        let out = try output(outResult, name: "out_result")
        out.pointee =
            caps.network.isBlocked
            ? NonoQueryResult(NONO_QUERY_STATUS_DENIED, NONO_QUERY_REASON_NETWORK_BLOCKED)
            : NonoQueryResult(NONO_QUERY_STATUS_ALLOWED, NONO_QUERY_REASON_NETWORK_ALLOWED)
    }
}

@_cdecl("nono_query_context_answer_path") @implementation
public func nono_query_context_answer_path(
    _ ctx: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ length: Int, _ mode: UInt32,
    _ outAnswer: UnsafeMutablePointer<NonoPathAnswer>?
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let context = try object(ctx, as: QueryContextHandle.self, name: "ctx")
        let mode = try modeArgument(mode)
        let path = Path(try bytesArgument(path, length, name: "path"))
        let out = try output(outAnswer, name: "out_answer")
        try checkSize(out.pointee.struct_size, of: NonoPathAnswer.self, name: "answer")
        out.pointee.path_length = 0
        switch answer(context, path, mode) {
        case .allowed(let path, let access):
            out.pointee.set(NONO_QUERY_STATUS_ALLOWED, NONO_QUERY_REASON_GRANTED_PATH, access.rawValue)
            out.pointee.copy(path)
        case .insufficientAccess(let granted):
            out.pointee.set(NONO_QUERY_STATUS_DENIED, NONO_QUERY_REASON_INSUFFICIENT_ACCESS, granted.rawValue)
        case .notGranted:
            out.pointee.set(NONO_QUERY_STATUS_DENIED, NONO_QUERY_REASON_PATH_NOT_GRANTED, NONO_ACCESS_MODE_INVALID)
        }
    }
}

/// Answers about a path. Arguments are checked in the header's order.
private func answer(
    _ ctx: OpaquePointer?, _ mode: UInt32, _ outResult: UnsafeMutablePointer<NonoQueryResult>?,
    path: () throws(NonoError) -> [UInt8]
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let context = try object(ctx, as: QueryContextHandle.self, name: "ctx")
        let mode = try modeArgument(mode)
        let path = Path(try path())
        let out = try output(outResult, name: "out_result")
        switch answer(context, path, mode) {
        case .allowed(let path, let access):
            out.pointee = NonoQueryResult(NONO_QUERY_STATUS_ALLOWED, NONO_QUERY_REASON_GRANTED_PATH)
            out.pointee.granted_path = copyOut(path.bytes)
            out.pointee.access = copyOut(access.name)
        case .insufficientAccess(let granted):
            out.pointee = NonoQueryResult(NONO_QUERY_STATUS_DENIED, NONO_QUERY_REASON_INSUFFICIENT_ACCESS)
            out.pointee.granted = copyOut(granted.name)
            out.pointee.requested = copyOut(mode.name)
        case .notGranted:
            out.pointee = NonoQueryResult(NONO_QUERY_STATUS_DENIED, NONO_QUERY_REASON_PATH_NOT_GRANTED)
        }
    }
}

private func answer(_ context: QueryContextHandle, _ path: Path, _ mode: AccessMode) -> PathAnswer {
    locate(path).map { context.value.answer(for: $0, mode: mode) } ?? .notGranted
}

extension NonoPathAnswer {
    fileprivate mutating func set(_ status: NonoQueryStatus, _ reason: NonoQueryReason, _ access: UInt32) {
        self.status = status
        self.reason = reason
        self.access = access
    }

    /// As much of a path as the buffer holds, terminated.
    fileprivate mutating func copy(_ granted: Path) {
        path_length = granted.bytes.count
        guard let path, path_size > 0 else { return }
        let count = min(path_length, path_size - 1)
        granted.bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: path, count: count).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: $0.prefix(count)))
        }
        path[count] = 0
    }
}

extension NonoQueryResult {
    /// An answer without strings.
    init(_ status: NonoQueryStatus, _ reason: NonoQueryReason) {
        self.init(status: status, reason: reason, granted_path: nil, access: nil, granted: nil, requested: nil)
    }
}
