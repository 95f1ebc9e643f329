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
        case blockedCommand = -8
        case configParse = -9
        case io = -11
        case invalidArgument = -12
        case unknown = -99
    }

    /// The kind of problem, for programs that show remedies. Raw values are those of `enum NonoDiagnosticCode`.
    public enum Diagnostic: Int32, Sendable {
        case commandNotFound = 3
        case unsupportedPlatformFeature = 8
        case configurationError = 11
        case ioError = 13
        case cancelled = 14
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

    public var code: Code { details.code }
    public var message: String { details.message }
    public var diagnostic: Diagnostic { details.diagnostic }
    /// The `errno` behind the failure, or 0.
    public var osError: Int32 { details.osError }
    /// The path the failure is about, as the caller gave it.
    public var path: Path? { details.path }
    public var remedy: Remedy? { details.remedy }
    /// How far starting a command had come, as `NONO_SPAWN_STAGE_*`; 0 for every other failure.
    public var spawnStage: UInt32 { details.spawnStage }

    /// One reference, because every function that throws passes it on: a large value makes all of them larger.
    private let details: Details

    @inline(never)
    public init(
        _ code: Code, _ message: String, diagnostic: Diagnostic = .other, osError: Int32 = 0, path: Path? = nil,
        remedy: Remedy? = nil, spawnStage: UInt32 = 0
    ) {
        details = Details(code, message, diagnostic, osError, path, remedy, spawnStage)
    }
}

private final class Details: Sendable {
    let code: NonoError.Code
    let message: String
    let diagnostic: NonoError.Diagnostic
    let osError: Int32
    let path: Path?
    let remedy: NonoError.Remedy?
    let spawnStage: UInt32

    init(
        _ code: NonoError.Code, _ message: String, _ diagnostic: NonoError.Diagnostic, _ osError: Int32, _ path: Path?,
        _ remedy: NonoError.Remedy?, _ spawnStage: UInt32
    ) {
        self.code = code
        self.message = message
        self.diagnostic = diagnostic
        self.osError = osError
        self.path = path
        self.remedy = remedy
        self.spawnStage = spawnStage
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
