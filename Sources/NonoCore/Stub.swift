public struct SandboxState: Sendable {}
extension NonoError.Remedy { public var json: [UInt8] { [] } }
