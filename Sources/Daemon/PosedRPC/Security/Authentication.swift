/// Finds out who calls, and turns away those who must not.
///
/// What is known first wins: a bearer token, the certificate of mutual TLS, the user at the other end
/// of a Unix socket. A token that is shown must be right, whatever else is known.
package struct Authentication: Sendable {
    /// The tokens that are good; without it none is.
    package var tokens: TokenFile?
    /// Whether the kernel's word on a Unix socket's user is an identity.
    package var trustsUnixPeers = true
    /// Whether calls without any identity are served.
    package var allowsAnonymous = false
    /// Methods that everybody may call, such as health checks: "/package.Service/Method".
    package var openMethods: Set<String> = []

    package init() {}

    /// Who makes the call.
    ///
    /// - Throws: `RPCError` with `unauthenticated` when that is not known but must be, or when a token
    ///   is wrong.
    package func identify(_ request: ServerRequest) throws(RPCError) -> Identity {
        let shown = request.metadata.texts(Authentication.key)
        if !shown.isEmpty { return .token(try holder(shown)) }
        if let certificate = request.peer.certificate {
            return .certificate(
                certificate.commonName ?? certificate.alternativeNames.first
                    ?? certificate.subject)
        }
        if trustsUnixPeers, case .unix(let user, _, _) = request.peer.address {
            return .unix(user: user)
        }
        guard allowsAnonymous || openMethods.contains(request.method) else {
            throw RPCError(
                .unauthenticated,
                "\(request.method) needs to know who calls: expected "
                    + (tokens?.path == nil ? "" : "\"authorization: Bearer …\" or ")
                    + "a client certificate, none came")
        }
        return .anonymous
    }

    private func holder(_ shown: [String]) throws(RPCError) -> String {
        guard shown.count == 1, let text = shown.first,
            text.prefix(Authentication.scheme.count).lowercased() == Authentication.scheme
        else {
            throw RPCError(
                .unauthenticated, "expected one \"authorization: Bearer …\", something else came")
        }
        guard let tokens, tokens.path != nil else {
            throw RPCError(.unauthenticated, "a token came, but this server knows none")
        }
        guard let name = tokens.holder(of: text.dropFirst(Authentication.scheme.count).utf8) else {
            throw RPCError(.unauthenticated, "the bearer token is not one that this server knows")
        }
        return name
    }

    private static let key = "authorization"
    private static let scheme = "bearer "

    /// The metadata with which a client shows `token`.
    ///
    /// - Throws: `RPCError` with `invalidArgument` when it has characters that cannot be sent.
    package static func metadata(token: String) throws(RPCError) -> Metadata {
        var metadata = Metadata()
        try metadata.add(key, "Bearer \(token)")
        return metadata
    }
}
