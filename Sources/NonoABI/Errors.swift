// SPDX-License-Identifier: Apache-2.0

// The last error, strings and the version.

public import CNono

@_cdecl("nono_last_error") @implementation
public func nono_last_error() -> UnsafeMutablePointer<CChar>? {
    nono_last_error_bytes(nil)
}

@_cdecl("nono_last_error_bytes") @implementation
public func nono_last_error_bytes(_ outLength: UnsafeMutablePointer<Int>?) -> UnsafeMutablePointer<CChar>? {
    let last = nono_sys_get_last_error().pointee
    return copyOut(last.message, last.message_length, outLength)
}

@_cdecl("nono_last_os_error") @implementation
public func nono_last_os_error() -> Int32 {
    nono_sys_get_last_error().pointee.os_error
}

@_cdecl("nono_last_spawn_stage") @implementation
public func nono_last_spawn_stage() -> UInt32 {
    nono_sys_get_last_error().pointee.spawn_stage
}

@_cdecl("nono_last_error_path") @implementation
public func nono_last_error_path(_ outLength: UnsafeMutablePointer<Int>?) -> UnsafeMutablePointer<CChar>? {
    let last = nono_sys_get_last_error().pointee
    return copyOut(last.path, last.path_length, outLength)
}

@_cdecl("nono_last_diagnostic_code") @implementation
public func nono_last_diagnostic_code() -> NonoDiagnosticCode {
    let last = nono_sys_get_last_error().pointee
    return last.is_set ? NonoDiagnosticCode(rawValue: UInt32(last.diagnostic)) : NONO_DIAGNOSTIC_CODE_OTHER
}

@_cdecl("nono_last_remediation_json") @implementation
public func nono_last_remediation_json() -> UnsafeMutablePointer<CChar>? {
    guard let remediation = nono_sys_get_last_error().pointee.remediation else { return nil }
    return copyOut(remediation, nono_sys_string_length(remediation), nil)
}

@_cdecl("nono_clear_error") @implementation
public func nono_clear_error() {
    nono_sys_clear_last_error()
}

@_cdecl("nono_string_free") @implementation
public func nono_string_free(_ string: UnsafeMutablePointer<CChar>?) {
    nono_sys_free(string)
}

@_cdecl("nono_version") @implementation
public func nono_version() -> UnsafeMutablePointer<CChar>? {
    copyOut(NONO_VERSION)
}

private func copyOut(
    _ text: UnsafeMutablePointer<CChar>?, _ length: Int, _ outLength: UnsafeMutablePointer<Int>?
) -> UnsafeMutablePointer<CChar>? {
    outLength?.pointee = text == nil ? 0 : length
    guard let text else { return nil }
    return copyOut([UInt8](UnsafeRawBufferPointer(start: text, count: length)))
}
