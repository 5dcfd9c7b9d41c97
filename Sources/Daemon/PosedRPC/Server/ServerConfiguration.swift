package import PosedAccounts
package import PosedErrors

/// How a server is to run.
package struct ServerConfiguration: Sendable {
    /// Where it is reached; at least one.
    package var endpoints: [Endpoint]
    package var transport = TransportOptions()
    /// Completion queues, each with a thread of its own.
    package var queues = 1
    /// What callers hold, and how much they may: connections of a peer, which are closed at once beyond that.
    package var accounts = Accounts(ServerConfiguration.usualLimits)
    /// Connections at a time that have not shown yet that they speak HTTP/2; the oldest leaves for a newer one.
    package var maxPending = 512
    /// Such connections of one peer; its oldest leaves for its newest.
    package var maxPendingOfPeer = 64
    /// Hosts whose TCP connections begin with a header of the PROXY protocol, version 2, that says for whom they are:
    /// the proxies in front of the server. A connection of theirs without one is refused.
    package var proxies: Set<String> = []
    /// Decides about every call when it arrives.
    package var admit: Admit = Admission.everybody()
    /// The status of an error that was thrown for the caller.
    package var status: @Sendable (RequestError) -> RPCError = { RPCError(plain: $0) }
    /// Time for a call's first message; a call without one by then is ended with `deadlineExceeded`.
    package var firstMessageTimeout: Duration = .seconds(30)
    /// Time that a call may neither get a message from its client nor get rid of one; then it is ended with
    /// `deadlineExceeded`. A call whose handler is at work, or that waits to be told something, is not idle.
    package var idleTimeout: Duration = .seconds(300)
    /// The threads that decode large messages.
    package var workers = Workers(threads: 2)
    /// Time for a new connection without TLS to say that it speaks HTTP/2.
    package var greetingTimeout: Duration = .seconds(10)
    /// Files to look at now and then, besides those of certificates: tokens. They are read when they have changed.
    package var reloadable: [any ReloadableFiles] = []
    /// How often to look whether such files have changed.
    package var fileCheckInterval: Duration = .seconds(5)
    /// What the server tells of itself. It runs on the server's threads and must not block.
    package var onEvent: @Sendable (ServerEvent) -> Void = { _ in }
    /// Counts what is alive.
    package var objectCounts = ObjectCounts.shared

    /// Connections of all peers and of each.
    private static var usualLimits: AccountLimits {
        var limits = AccountLimits()
        limits.total[.connections] = 1024
        limits.each[.connections] = 128
        return limits
    }

    package init(endpoints: [Endpoint]) {
        self.endpoints = endpoints
        // Who does not answer is gone, call or no call; and clients may ask as well.
        transport.keepaliveWithoutCalls = true
    }
}

/// What a server tells of itself, for a log and for metrics.
package enum ServerEvent: Sendable {
    /// A connection was accepted, and speaks HTTP/2.
    case connectionOpened(Peer)
    /// A connection ended.
    case connectionClosed(Peer)
    /// A connection was closed by the server, most of them before they could make a call, and why.
    case connectionRefused(Peer, reason: String)
    /// No connection can be accepted for the moment, and why.
    case acceptPaused(reason: String)
    /// A call was turned away when it arrived.
    case callRefused(ServerRequest, RPCError)
    /// New contents of these files are in use.
    case filesReloaded(paths: [String])
    /// These files have changed but are no good; their old contents stay in use.
    case filesRefused(paths: [String], RPCError)
}
