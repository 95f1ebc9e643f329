// SPDX-License-Identifier: Apache-2.0

// What a program needs to start, and why it did not.

public import CNono
internal import NonoCore
internal import NonoSystem

@_cdecl("nono_program_requirements") @implementation
public func nono_program_requirements(
    _ program: UnsafePointer<CChar>?, _ searchPath: UnsafePointer<CChar>?
) -> OpaquePointer? {
    let caps = nono_capability_set_new()
    if nono_capability_set_allow_program(caps, program, searchPath) == NONO_ERROR_CODE_OK {
        return caps
    }
    nono_capability_set_free(caps)
    return nil
}

@_cdecl("nono_capability_set_allow_program") @implementation
public func nono_capability_set_allow_program(
    _ caps: OpaquePointer?, _ program: UnsafePointer<CChar>?, _ searchPath: UnsafePointer<CChar>?
) -> NonoErrorCode {
    status { () throws(NonoError) in
        let set = try object(caps, as: CapabilitySetHandle.self, name: "caps")
        let requirements = try complete(program, searchPath)
        set.modify { requirements.grant(in: &$0) }
    }
}

@_cdecl("nono_program_requirements_to_json") @implementation
public func nono_program_requirements_to_json(
    _ program: UnsafePointer<CChar>?, _ searchPath: UnsafePointer<CChar>?
) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        copyOut(try complete(program, searchPath).json)
    }
}

@_cdecl("nono_explain_exec_failure") @implementation
public func nono_explain_exec_failure(
    _ caps: OpaquePointer?, _ program: UnsafePointer<CChar>?, _ searchPath: UnsafePointer<CChar>?, _ osError: Int32
) -> UnsafeMutablePointer<CChar>? {
    result(orOnError: nil) { () throws(NonoError) in
        let caps = try object(caps, as: CapabilitySetHandle.self, name: "caps").value
        let requirements = try requirements(program, searchPath)
        return copyOut(requirements.explanation(osError: osError, caps: caps))
    }
}

@inline(never)
private func requirements(
    _ program: UnsafePointer<CChar>?, _ searchPath: UnsafePointer<CChar>?
) throws(NonoError) -> ProgramRequirements {
    guard let program else {
        throw NonoError(.invalidArgument, "program is NULL")
    }
    return ProgramRequirements(of: Path(bytes(program)), searchPath: searchPath.map { bytes($0) })
}

/// The same; what is missing is an error.
@inline(never)
private func complete(
    _ program: UnsafePointer<CChar>?, _ searchPath: UnsafePointer<CChar>?
) throws(NonoError) -> ProgramRequirements {
    let requirements = try requirements(program, searchPath)
    if let failure = requirements.failure {
        throw failure
    }
    return requirements
}

private func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(start: text, count: nono_sys_string_length(text)))
}
