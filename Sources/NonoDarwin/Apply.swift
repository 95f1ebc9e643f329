// SPDX-License-Identifier: Apache-2.0

// How macOS enforces a set. The tests on Linux compile and run this file too, with a stand-in for the system's function.
#if os(macOS) || NONO_SEATBELT_STAND_IN

    internal import CNono
    public import NonoCore

    /// Puts the sandbox of a set in force, for good and for every thread of the process.
    ///
    /// The options change nothing: what they would leave open stays as the profile has it. The corresponding call is `sandbox_init`.
    public func applySandbox(_ caps: CapabilitySet, options: SandboxOptions = []) throws(NonoError) {
        let profile = try seatbeltProfile(for: caps, home: homeDirectory())
        var text: UnsafeMutablePointer<CChar>?
        let code = nono_sys_seatbelt_apply(profile.map { CChar(bitPattern: $0) } + [0], &text)
        if code != 0 {
            let reason = text.map { String(cString: $0) } ?? "sandbox_init returned error code \(code)"
            nono_sys_seatbelt_free_error(text)
            throw NonoError(.sandboxInit, "Sandbox initialization failed: \(reason)")
        }
        var layer = nono_sys_status(
            allowed: 0, unenforced: try unenforced(caps, options: options).rawValue, layers: 1, landlock_abi: 0,
            blocks_network: caps.network.isBlocked, allows_proxy: caps.network != .blocked,
            blocks_unix_sockets: caps.blocksUnixSockets, is_incomplete: false)
        nono_sys_add_layer(&layer)
    }

    /// What a sandbox of the set would leave open.
    public func unenforced(_ caps: CapabilitySet, options: SandboxOptions = []) throws(NonoError) -> Unenforced {
        caps.network == .allowAll && !caps.blocksUnixSockets ? .pathnameUnixSockets : []
    }

    /// Every macOS that this library runs on can sandbox.
    public let isSandboxSupported = true

    public func sandboxSupport() -> Support {
        Support(isSupported: true, platform: "macos", details: "macOS Seatbelt sandbox available")
    }

    /// There is no Landlock.
    public let kernelLandlockVersion: Int32 = 0
    public let usedLandlockVersion: Int32 = 0

#endif
