// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore

/// Finds a program as execvp(3) does, and returns its absolute path. Links are not followed: programs look at the name
/// by which they are called.
///
/// A name with a slash is a path, against the working directory. Any other is looked for in the directories of
/// `searchPath`, where an empty entry is the working directory; without one, in those of the process's PATH.
public func findProgram(_ name: Path, searchPath: [UInt8]?) throws(NonoError) -> Path {
    if name.bytes.contains(Path.slash) {
        let path = try absolute(name)
        guard path.withCString({ nono_sys_exists($0) }) else {
            throw .programNotFound("Program not found: \(name.text)", name)
        }
        return path
    }
    if !name.bytes.isEmpty {
        let directories = (searchPath ?? processSearchPath())
            .split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for directory in directories {
            let path = Path(directory.isEmpty ? name.bytes : directory + [Path.slash] + name.bytes)
            if path.withCString({ nono_sys_is_program($0) }) {
                return try absolute(path)
            }
        }
    }
    throw .programNotFound("Program not found in PATH: \(name.text)", name)
}

/// Without PATH, what the C library looks through.
private func processSearchPath() -> [UInt8] {
    guard let text = nono_sys_getenv("PATH") else { return Array("/bin:/usr/bin".utf8) }
    return [UInt8](UnsafeRawBufferPointer(start: text, count: nono_sys_string_length(text)))
}

private func absolute(_ path: Path) throws(NonoError) -> Path {
    if path.isAbsolute {
        return path
    }
    return Path(try resolve(Path(".")).path.bytes + [Path.slash] + path.bytes)
}

extension NonoError {
    fileprivate static func programNotFound(_ message: String, _ name: Path) -> NonoError {
        NonoError(.unknown, message, diagnostic: .commandNotFound, osError: ENOENT, path: name)
    }
}
