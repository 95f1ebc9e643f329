// SPDX-License-Identifier: Apache-2.0

/// The one error type of the library: what failed, why, and what could be done about it.
public struct NonoError: Error {
    /// The kind of failure. Raw values are those of `enum NonoErrorCode` in nono.h.
    public enum Code: Int32, Sendable {
        case pathNotFound = -1
        case expectedDirectory = -2
        case expectedFile = -3
        case pathCanonicalization = -4
        case sandboxInit = -6
        case unsupportedPlatform = -7
        case configParse = -9
        case invalidArgument = -12
        case unknown = -99
    }

    /// The kind of problem, for programs that show remedies. Raw values are those of `enum NonoDiagnosticCode`.
    public enum Diagnostic: Int32, Sendable {
        case unsupportedPlatformFeature = 8
        case configurationError = 11
        case ioError = 13
        case other = 99
    }

    /// The grant that would have worked where this one failed.
    public struct Remedy: Sendable {
        public let path: Path
        public let access: AccessMode
        public let isFile: Bool

        public init(path: Path, access: AccessMode, isFile: Bool) {
            self.path = path
            self.access = access
            self.isFile = isFile
        }
    }

    public let code: Code
    public let message: String
    public let diagnostic: Diagnostic
    /// The `errno` behind the failure, or 0.
    public let osError: Int32
    /// The path the failure is about, as the caller gave it.
    public let path: Path?
    public let remedy: Remedy?

    public init(
        _ code: Code, _ message: String, diagnostic: Diagnostic = .other, osError: Int32 = 0, path: Path? = nil,
        remedy: Remedy? = nil
    ) {
        self.code = code
        self.message = message
        self.diagnostic = diagnostic
        self.osError = osError
        self.path = path
        self.remedy = remedy
    }
}

extension NonoError.Remedy {
    /// The remedy as the C interface gives it.
    public var json: [UInt8] {
        var json: [UInt8] = []
        JSONText.append("{\"kind\":\"grant_path\",\"path\":", to: &json)
        JSONText.appendQuoted(path.textBytes, to: &json)
        JSONText.append(",\"access\":\"", to: &json)
        JSONText.append(access.remedyName, to: &json)
        JSONText.append(isFile ? "\",\"is_file\":true}" : "\",\"is_file\":false}", to: &json)
        return json
    }
}
