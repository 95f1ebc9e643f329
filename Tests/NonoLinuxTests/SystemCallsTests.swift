// SPDX-License-Identifier: Apache-2.0

import Foundation
import NonoCore
import Testing

@testable import NonoLinux

/// Every call the filter names.
let namedCalls: [SystemCall] =
    [.socket, .socketpair, .ioctl, .prlimit64, .setpriority, .ioprioSet] + SystemCall.scheduling + SystemCall.ioUring
    + sending.map(\.call) + SystemCall.closed.flatMap(\.calls)

@Suite struct SystemCallsTests {
    /// The numbers are those of the kernel's headers, as far as this machine has them and they know the calls. aarch64
    /// uses the generic table.
    @Test(arguments: [
        ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", Processor.x86_64),
        ("/usr/include/asm-generic/unistd.h", .aarch64),
    ])
    func numbers(header: String, processor: Processor) throws {
        guard let text = try? String(contentsOfFile: header, encoding: .utf8) else {
            print("skipped: there is no \(header)")
            return
        }
        let known = try numbersIn(text)
        #expect(known.count > 250)
        var compared = 0
        for call in namedCalls {
            let name = "\(call.name)"
            guard let expected = known[name] else {
                // Newer than the header, or not there on this processor.
                let isNewer = call.number(on: processor).map { !known.values.contains($0) } ?? true
                #expect(isNewer, "\(name) has the number of another call")
                continue
            }
            #expect(call.number(on: processor) == expected, "\(name)")
            compared += 1
        }
        #expect(compared > 60)
    }

    @Test func noCallTwice() {
        for processor in Processor.allCases {
            let numbers = namedCalls.compactMap { $0.number(on: processor) }
            #expect(Set(numbers).count == numbers.count)
        }
        #expect(Set(namedCalls.map { "\($0.name)" }).count == namedCalls.count)
    }

    /// `#define __NR_name 1` and `#define __NR3264_name 1`, which the generic table has for calls of two widths.
    private func numbersIn(_ header: String) throws -> [String: UInt32] {
        var numbers: [String: UInt32] = [:]
        for line in header.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 3, words[0] == "#define", let number = UInt32(words[2]) else { continue }
            for prefix in ["__NR_", "__NR3264_"] where words[1].hasPrefix(prefix) {
                numbers[String(words[1].dropFirst(prefix.count))] = number
            }
        }
        return numbers
    }
}
