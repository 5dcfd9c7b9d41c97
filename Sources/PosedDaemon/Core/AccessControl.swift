internal import PosedGuarded
package import PosedRPC

/// Finds out who calls, and lets in whom the configuration allows on that kind of socket.
package final class AccessControl: Sendable {
    /// What decides, all of one configuration.
    package struct Policy: Sendable {
        /// Bearer tokens; without them none is good.
        package var tokens: TokenFile?
        /// Who may call on a Unix socket.
        package var unix: [IdentityPattern]
        /// Who may call over TCP.
        package var tcp: [IdentityPattern]

        /// A policy from its parts.
        package init(tokens: TokenFile?, unix: [IdentityPattern], tcp: [IdentityPattern]) {
            self.tokens = tokens
            self.unix = unix
            self.tcp = tcp
        }
    }

    private let current: Guarded<Policy>
    private let openMethods: Set<String>

    /// Access by a policy; `openMethods` are for everybody, such as health checks.
    package init(_ policy: Policy, openMethods: Set<String>) {
        current = Guarded(policy)
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
        authentication.tokens = policy.tokens
        authentication.allowsAnonymous = true
        let identity = try authentication.identify(request)
        if openMethods.contains(request.method) { return identity }
        let isUnix: Bool
        if case .unix = request.peer.address { isUnix = true } else { isUnix = false }
        let allowed = isUnix ? policy.unix : policy.tcp
        let name = identity.description
        guard !allowed.contains(where: { $0.matches(name) }) else { return identity }
        let expected = allowed.map(\.description).joined(separator: ", ")
        if identity == .anonymous {
            throw RPCError(
                .unauthenticated,
                "\(request.method) is for \(expected); the call says nothing of who makes it (a token "
                    + "or a client certificate would)")
        }
        throw RPCError(
            .permissionDenied, "\(request.method) is for \(expected) here; \(name) called")
    }
}
