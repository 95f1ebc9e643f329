// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore

/// What the system says about an errno, as error messages of this library end: `Permission denied (os error 13)`.
public func systemErrorText(_ error: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let base = buffer.baseAddress else { return "os error \(error)" }
        nono_sys_strerror(error, base, buffer.count)
        return "\(String(cString: base)) (os error \(error))"
    }
}

extension NonoError {
    /// Why a path that a caller named does not lead anywhere.
    static func unresolvable(_ path: Path, osError: Int32) -> NonoError {
        if osError == ENOENT {
            return NonoError(
                .pathNotFound, "Path does not exist: \(path.text)", diagnostic: .configurationError, osError: osError,
                path: path)
        }
        return NonoError(
            .pathCanonicalization, "Failed to canonicalize path \(path.text): \(systemErrorText(osError))",
            diagnostic: .ioError, osError: osError, path: path)
    }

    /// No system call takes a path with a NUL byte in it.
    static func unresolvableNUL(_ path: Path) -> NonoError {
        NonoError(
            .pathCanonicalization,
            "Failed to canonicalize path \(path.text): file name contained an unexpected NUL byte",
            diagnostic: .configurationError, path: path)
    }
}
