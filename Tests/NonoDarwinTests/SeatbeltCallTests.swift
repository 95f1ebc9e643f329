// SPDX-License-Identifier: Apache-2.0

// The call of macOS, where it cannot do any harm: a stand-in takes the place of the system's functions.
#if NONO_SEATBELT_STAND_IN

    import CNono
    import NonoCore
    import NonoDarwin
    import SeatbeltStandIn
    import Testing

    @Suite(.serialized) struct SeatbeltCallTests {
        private func message(answering code: Int32, _ text: String?) -> String? {
            stand_in_answer(code, text)
            defer { stand_in_answer(0, nil) }
            do throws(NonoError) {
                try applySandbox(CapabilitySet())
                return nil
            } catch {
                #expect(error.code == .sandboxInit)
                return error.message
            }
        }

        @Test func theSystemGetsTheProfile() throws {
            var caps = CapabilitySet()
            caps.add(try grant("/srv/d"))
            caps.network = .blocked
            stand_in_answer(0, nil)
            try applySandbox(caps, options: .signals)
            let expected = try seatbeltProfile(for: caps, home: homeDirectory())
            #expect(
                try #require(stand_in_profile().map { String(cString: $0) })
                    == String(decoding: expected, as: UTF8.self))
            #expect(stand_in_flags() == 0)
            #expect(stand_in_errors() == 0)
        }

        @Test func aRefusalIsTheSystemsText() {
            #expect(message(answering: -1, "bad profile") == "Sandbox initialization failed: bad profile")
            #expect(stand_in_errors() == 0, "the text is freed")
            #expect(message(answering: -1, "") == "Sandbox initialization failed: ")
            #expect(stand_in_errors() == 0)
        }

        @Test func aRefusalWithoutATextIsItsCode() {
            let expected = "Sandbox initialization failed: sandbox_init returned error code"
            #expect(message(answering: -1, nil) == "\(expected) -1")
            #expect(message(answering: 7, nil) == "\(expected) 7")
        }

        @Test func onlyASandboxInForceCounts() throws {
            var before = nono_sys_status()
            nono_sys_get_status(&before)
            _ = message(answering: -1, "no")
            var after = nono_sys_status()
            nono_sys_get_status(&after)
            #expect(after.layers == before.layers)
            _ = message(answering: 0, nil)
            nono_sys_get_status(&after)
            #expect(after.layers == before.layers + 1)
        }

        /// What cannot be written down must not reach the system in part.
        @Test func aSetWithoutAProfileIsNotApplied() throws {
            stand_in_answer(0, nil)
            try applySandbox(CapabilitySet())
            let last = try #require(stand_in_profile().map { String(cString: $0) })
            var caps = CapabilitySet()
            caps.add(try grant("/srv/a\nb"))
            #expect(throws: NonoError.self) { try applySandbox(caps) }
            #expect(try #require(stand_in_profile().map { String(cString: $0) }) == last)
        }

        @Test func support() throws {
            #expect(sandboxSupport().isSupported)
            #expect(sandboxSupport().platform == "macos")
            #expect(sandboxSupport().details == "macOS Seatbelt sandbox available")
            var caps = CapabilitySet()
            #expect(try unenforced(caps) == .pathnameUnixSockets)
            caps.blocksUnixSockets = true
            #expect(try unenforced(caps) == [])
            caps.blocksUnixSockets = false
            caps.network = .blocked
            #expect(try unenforced(caps) == [])
        }
    }

#endif
