internal import Glibc
package import PosedAccounts
package import PosedErrors
internal import PosedGuarded
package import PosedRPC

/// Finds out who calls, lets in whom the configuration allows on that kind of socket, and takes each call from
/// its caller's account.
package final class AccessControl: Sendable {
    /// What decides, all of one configuration.
    package struct Policy: Sendable {
        /// Who may call on a Unix socket.
        package var unix: [IdentityPattern]
        /// Who may call over TCP.
        package var tcp: [IdentityPattern]
        /// Who may call over HTTP.
        package var http: [IdentityPattern]
        /// Who may see what others do.
        package var administrators: [IdentityPattern]

        /// A policy from its parts.
        package init(
            unix: [IdentityPattern], tcp: [IdentityPattern], http: [IdentityPattern] = [],
            administrators: [IdentityPattern] = []
        ) {
            self.unix = unix
            self.tcp = tcp
            self.http = http
            self.administrators = administrators
        }
    }

    /// How a call came.
    package enum Way: Sendable {
        /// Over gRPC; the peer says on which kind of socket.
        case grpc
        /// Over HTTP; `known` is whom the cookie of a browser stands for.
        case http(known: Identity?)
    }

    /// The bearer tokens, the same object for as long as the daemon lives.
    package let tokens: TokenFile
    /// The largest request of an open method, in bytes: it names a service.
    private static let openRequestBytes = 4 << 10

    private let current: Guarded<Policy>
    private let openMethods: Set<String>
    private let accounts: Accounts
    private let status: @Sendable (RequestError) -> RPCError

    /// Access by a policy; `openMethods` are for everybody, such as health checks.
    ///
    /// - Parameter status: the status of a refusal.
    package init(
        _ policy: Policy, tokens: TokenFile, openMethods: Set<String>, accounts: Accounts,
        status: @escaping @Sendable (RequestError) -> RPCError = { RPCError(plain: $0) }
    ) {
        current = Guarded(policy)
        self.tokens = tokens
        self.openMethods = openMethods
        self.accounts = accounts
        self.status = status
    }

    /// The policy from now on.
    package var policy: Policy {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// Whether an identity may see what others do: the daemon's own user, and whom the configuration names.
    package func isAdministrator(_ identity: Identity) -> Bool {
        if case .unix(getuid()) = identity { return true }
        let name = identity.description
        return policy.administrators.contains { $0.matches(name) }
    }

    /// Decides about a call that has arrived. A call of an open method is charged to its peer, from an amount that
    /// other calls cannot use up; every other call is charged to its identity.
    ///
    /// - Throws: What `identity(_:)` throws, and `RPCError` `.resourceExhausted` where the caller has too many
    ///   calls.
    package func admit(
        _ request: ServerRequest, over way: Way = .grpc
    ) throws(RPCError) -> Admission {
        let identity = try identity(request, over: way)
        let isOpen = openMethods.contains(request.method)
        let account = accounts.account(of: isOpen ? request.peer.caller : Caller(identity))
        do throws(RequestError) {
            return Admission(
                identity: identity, account: account,
                call: try account.take(isOpen ? .openCalls : .calls),
                largestMessage: isOpen ? Self.openRequestBytes : .max)
        } catch {
            throw status(error)
        }
    }

    /// Who makes the call.
    ///
    /// - Throws: `RPCError` `.unauthenticated` where that is not known and must be, or a token is wrong;
    ///   `.permissionDenied` where it is known and not allowed here.
    package func identity(
        _ request: ServerRequest, over way: Way = .grpc
    ) throws(RPCError) -> Identity {
        let policy = policy
        var authentication = Authentication()
        authentication.tokens = tokens
        authentication.allowsAnonymous = true
        var identity = try authentication.identify(request)
        let allowed: [IdentityPattern]
        switch (way, request.peer.address) {
        case (.http(let known), _):
            allowed = policy.http
            if let known, identity == .anonymous { identity = known }
            if case .token(let name) = identity, !tokens.hasHolder(name) {
                throw RPCError(.unauthenticated, "\(identity) is not known any more")
            }
        case (.grpc, .unix): allowed = policy.unix
        case (.grpc, _): allowed = policy.tcp
        }
        if openMethods.contains(request.method) { return identity }
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
