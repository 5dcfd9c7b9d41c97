/// Who makes a call, as an interceptor of authentication established it.
///
/// Its text owns sessions and appears in logs: "unix:1000", "mtls:studio", "token:studio", "anonymous".
package enum Identity: Sendable, Hashable, CustomStringConvertible {
    /// Nobody in particular.
    case anonymous
    /// A user of this machine.
    case unix(user: UInt32)
    /// The holder of a certificate's key, by common name or else by its first alternative name.
    case certificate(String)
    /// The holder of a token, by the token's name.
    case token(String)

    package var description: String {
        switch self {
        case .anonymous: "anonymous"
        case .unix(let user): "unix:\(user)"
        case .certificate(let name): "mtls:\(name)"
        case .token(let name): "token:\(name)"
        }
    }
}
