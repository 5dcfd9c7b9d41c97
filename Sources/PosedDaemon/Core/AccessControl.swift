internal import PosedGuarded
package import PosedRPC

/// Finds out who calls, and lets in whom the configuration allows on that kind of socket.
package final class AccessControl: Sendable {
    /// What decides, all of one configuration.
    package struct Policy: Sendable {
        /// Who may call on a Unix socket.
        package var unix: [IdentityPattern]
        /// Who may call over TCP.
        package var tcp: [IdentityPattern]

        /// A policy from its parts.
        package init(unix: [IdentityPattern], tcp: [IdentityPattern]) {
            self.unix = unix
            self.tcp = tcp
        }
    }

    /// The bearer tokens, the same object for as long as the daemon lives.
    package let tokens: TokenFile
    private let current: Guarded<Policy>
    private let openMethods: Set<String>

    /// Access by a policy; `openMethods` are for everybody, such as health checks.
    package init(_ policy: Policy, tokens: TokenFile, openMethods: Set<String>) {
        current = Guarded(policy)
        self.tokens = tokens
        self.openMethods = openMethods
    }

    /// The policy from now on.
    package var policy: Policy {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// The interceptor that sets the identity of every call, and turns away who may not call.
    package var interceptor: ServerInterceptor {
        { [self] request, context, next in
            context.identity = try identity(request)
            try await next()
        }
    }

    /// Who makes the call.
    ///
    /// - Throws: `RPCError` `.unauthenticated` where that is not known and must be, or a token is wrong;
    ///   `.permissionDenied` where it is known and not allowed here.
    package func identity(_ request: ServerRequest) throws(RPCError) -> Identity {
        let policy = policy
        var authentication = Authentication()
        authentication.tokens = tokens
        authentication.allowsAnonymous = true
        let identity = try authentication.identify(request)
        if openMethods.contains(request.method) { return identity }
        let isUnix: Bool
        if case .unix = request.peer.address { isUnix = true } else { isUnix = false }
        let allowed = isUnix ? policy.unix : policy.tcp
        let name = identity.description
        guard !allowed.contains(where: { $0.matches(name) }) else { return identity }
        // Who else may call is nobody's business.
        if identity == .anonymous {
            throw RPCError(
                .unauthenticated,
                "\(request.method) needs to know who calls; the call says nothing of that (a token or a client "
                    + "certificate would)")
        }
        throw RPCError(
            .permissionDenied, "\(name) called, who may not call \(request.method) here")
    }
}
