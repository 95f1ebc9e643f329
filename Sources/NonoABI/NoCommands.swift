// SPDX-License-Identifier: Apache-2.0

// In the place of Commands.swift on macOS, where no command can be run in a sandbox of its own yet: no handle of this kind
// ever exists there.

public import CNono
internal import NonoCore

private func refuse() throws(NonoError) -> Never {
    throw NonoError(
        .unsupportedPlatform,
        "Running a command in a sandbox of its own is not possible on macOS yet; fork, apply and exec instead",
        diagnostic: .unsupportedPlatformFeature)
}

@_cdecl("nono_sandbox_prepare") @implementation
public func nono_sandbox_prepare(
    _ caps: OpaquePointer?, _ options: UnsafePointer<NonoApplyOptions>?,
    _ outSandbox: UnsafeMutablePointer<OpaquePointer?>?
) -> NonoErrorCode {
    status { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_prepared_sandbox_free") @implementation
public func nono_prepared_sandbox_free(_ sandbox: OpaquePointer?) {}

@_cdecl("nono_sandbox_spawn") @implementation
public func nono_sandbox_spawn(
    _ sandbox: OpaquePointer?, _ argv: UnsafePointer<UnsafePointer<CChar>?>?,
    _ options: UnsafePointer<NonoSpawnOptions>?, _ outProcess: UnsafeMutablePointer<OpaquePointer?>?
) -> NonoErrorCode {
    status { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_wait") @implementation
public func nono_process_wait(
    _ process: OpaquePointer?, _ timeout: Int64, _ outStatus: UnsafeMutablePointer<NonoProcessStatus>?
) -> NonoErrorCode {
    status { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_failure") @implementation
public func nono_process_failure(_ process: OpaquePointer?) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_signal") @implementation
public func nono_process_signal(_ process: OpaquePointer?, _ signal: Int32) -> NonoErrorCode {
    status { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_kill") @implementation
public func nono_process_kill(_ process: OpaquePointer?) -> NonoErrorCode {
    status { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_descriptor") @implementation
public func nono_process_descriptor(_ process: OpaquePointer?) -> Int32 {
    result(orOnError: -1) { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_take_descriptor") @implementation
public func nono_process_take_descriptor(_ process: OpaquePointer?, _ stream: UInt32) -> Int32 {
    result(orOnError: -1) { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_communicate") @implementation
public func nono_process_communicate(
    _ process: OpaquePointer?, _ communication: UnsafePointer<NonoCommunication>?,
    _ outOutput: UnsafeMutablePointer<NonoOutput>?
) -> NonoErrorCode {
    status { () throws(NonoError) in try refuse() }
}

@_cdecl("nono_process_free") @implementation
public func nono_process_free(_ process: OpaquePointer?) {}
