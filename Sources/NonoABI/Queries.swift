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
        let out = try output(outResult)
        out.pointee =
            caps.network.isBlocked
            ? NonoQueryResult(NONO_QUERY_STATUS_DENIED, NONO_QUERY_REASON_NETWORK_BLOCKED)
            : NonoQueryResult(NONO_QUERY_STATUS_ALLOWED, NONO_QUERY_REASON_NETWORK_ALLOWED)
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
        let out = try output(outResult)
        switch locate(path).map({ context.value.answer(for: $0, mode: mode) }) ?? .notGranted {
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

private func output(
    _ outResult: UnsafeMutablePointer<NonoQueryResult>?
) throws(NonoError) -> UnsafeMutablePointer<NonoQueryResult> {
    guard let outResult else {
        throw NonoError(.invalidArgument, "out_result pointer is NULL")
    }
    return outResult
}

extension NonoQueryResult {
    /// An answer without strings.
    init(_ status: NonoQueryStatus, _ reason: NonoQueryReason) {
        self.init(status: status, reason: reason, granted_path: nil, access: nil, granted: nil, requested: nil)
    }
}
