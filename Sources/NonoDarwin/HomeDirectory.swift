// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore

/// `$HOME` as it is now, or nil without one.
public func homeDirectory() -> Path? {
    guard let home = nono_sys_getenv("HOME") else { return nil }
    return Path([UInt8](UnsafeRawBufferPointer(start: home, count: nono_sys_string_length(home))))
}
