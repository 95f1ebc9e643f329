// SPDX-License-Identifier: Apache-2.0

// How the exported functions cross between C and Swift, in one place: handles, arguments, strings, errors. The code
// behind them throws typed errors and never sees the C interface.

internal import CNono
internal import NonoCore

/// What `struct NonoCapabilitySet` is: a set that several threads may use.
final class CapabilitySetHandle {
    private var caps: CapabilitySet

    init(_ caps: CapabilitySet) {
        self.caps = caps
    }

    /// A copy, in constant time; what is done with it needs no lock.
    var value: CapabilitySet {
        nono_sys_lock()
        defer { nono_sys_unlock() }
        return caps
    }

    /// What `body` finds in the set, which is not copied for that. It must not take the lock of the handles.
    func read<Result>(_ body: (borrowing CapabilitySet) -> Result) -> Result {
        nono_sys_lock()
        defer { nono_sys_unlock() }
        return body(caps)
    }

    func modify(_ body: (inout CapabilitySet) -> Void) {
        nono_sys_lock()
        defer { nono_sys_unlock() }
        body(&caps)
    }
}

/// What the other handles are: something that never changes.
final class ConstantHandle<Value> {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}

typealias QueryContextHandle = ConstantHandle<CapabilitySet>
typealias SandboxStateHandle = ConstantHandle<SandboxState>

/// Gives an object to the caller, who owns it until `release`.
func export<Object: AnyObject>(_ object: Object) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(object).toOpaque())
}

/// The object of a handle, or an error that names the argument.
func object<Object: AnyObject>(
    _ handle: OpaquePointer?, as type: Object.Type, name: StaticString
) throws(NonoError) -> Object {
    guard let handle else {
        throw NonoError(.invalidArgument, "\(name) pointer is NULL")
    }
    return Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
}

func release<Object: AnyObject>(_ handle: OpaquePointer?, as type: Object.Type) {
    if let handle {
        Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).release()
    }
}

/// Runs what a function that returns a code does; an error becomes the thread's last one.
func status(_ body: () throws(NonoError) -> Void) -> NonoErrorCode {
    do throws(NonoError) {
        try body()
        return NONO_ERROR_CODE_OK
    } catch {
        record(error)
        return NonoErrorCode(rawValue: error.code.rawValue)
    }
}

/// Runs what a function that returns a value does; an error becomes the thread's last one, and `failure` is returned.
func result<Value>(orOnError failure: Value, _ body: () throws(NonoError) -> Value) -> Value {
    do throws(NonoError) {
        return try body()
    } catch {
        record(error)
        return failure
    }
}

private func record(_ error: NonoError) {
    var last = nono_sys_last_error()
    last.is_set = true
    last.diagnostic = error.diagnostic.rawValue
    last.os_error = error.osError
    last.spawn_stage = error.spawnStage
    let message = Array(error.message.utf8)
    last.message = copyOut(message)
    last.message_length = message.count
    if let path = error.path {
        last.path = copyOut(path.bytes)
        last.path_length = path.bytes.count
    }
    if let remedy = error.remedy {
        last.remediation = copyOut(remedy.json)
    }
    nono_sys_set_last_error(&last)
}

/// A string for the caller, who gives it back to `nono_string_free`.
func copyOut(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar>? {
    bytes.withUnsafeBufferPointer { nono_sys_copy_string($0.baseAddress, $0.count) }
}

func copyOut(_ text: StaticString) -> UnsafeMutablePointer<CChar>? {
    nono_sys_copy_string(text.utf8Start, text.utf8CodeUnitCount)
}

func copyOut(_ text: String) -> UnsafeMutablePointer<CChar>? {
    copyOut(Array(text.utf8))
}

/// The bytes of an argument with a length. NULL is no bytes, and an error with a length.
func bytesArgument(_ start: UnsafePointer<CChar>?, _ length: Int, name: StaticString) throws(NonoError) -> [UInt8] {
    guard let start else {
        if length == 0 {
            return []
        }
        throw NonoError(.invalidArgument, "\(name) is NULL or invalid UTF-8")
    }
    return [UInt8](UnsafeRawBufferPointer(start: start, count: length))
}

/// The same for text, which must be UTF-8.
func textArgument(_ start: UnsafePointer<CChar>?, _ length: Int, name: StaticString) throws(NonoError) -> [UInt8] {
    let bytes = try bytesArgument(start, length, name: name)
    guard isUTF8(bytes) else {
        throw NonoError(.invalidArgument, "\(name) is NULL or invalid UTF-8")
    }
    return bytes
}

/// The same for a terminated text.
func textArgument(_ start: UnsafePointer<CChar>?, name: StaticString) throws(NonoError) -> [UInt8] {
    guard let start else {
        throw NonoError(.invalidArgument, "\(name) is NULL or invalid UTF-8")
    }
    return try textArgument(start, nono_sys_string_length(start), name: name)
}

/// Where a result goes.
func output<Value>(
    _ pointer: UnsafeMutablePointer<Value>?, name: StaticString
) throws(NonoError) -> UnsafeMutablePointer<Value> {
    guard let pointer else {
        throw NonoError(.invalidArgument, "\(name) pointer is NULL")
    }
    return pointer
}

/// A larger struct is that of a later version; what it asks for is not known here.
func checkSize<Struct>(_ size: Int, of type: Struct.Type, name: StaticString) throws(NonoError) {
    guard size == MemoryLayout<Struct>.size else {
        throw NonoError(.invalidArgument, "struct_size of the \(name) is \(UInt(bitPattern: size))")
    }
}

func modeArgument(_ mode: UInt32) throws(NonoError) -> AccessMode {
    guard let access = AccessMode(rawValue: mode) else {
        throw NonoError(.invalidArgument, "invalid access mode: \(mode)")
    }
    return access
}
