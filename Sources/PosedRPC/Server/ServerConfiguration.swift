/// How a server is to run.
package struct ServerConfiguration: Sendable {
    /// Where it is reached; at least one.
    package var endpoints: [Endpoint]
    package var transport = TransportOptions()
    /// Completion queues, each with a thread of its own.
    package var queues = 1
    /// Calls at a time, over all connections; more are turned away with `resourceExhausted`.
    package var maxCalls = 256
    /// Connections at a time on Unix sockets and inherited listeners; more are closed at once.
    package var maxConnections = 256
    /// Time for a new connection there to say that it speaks HTTP/2.
    package var greetingTimeout: Duration = .seconds(10)
    /// Files that are read again when they change, besides those of certificates: tokens.
    package var reloadable: [any ReloadableFiles] = []
    /// How often to look whether such files have changed.
    package var fileCheckInterval: Duration = .seconds(5)
    /// What the server tells of itself. It runs on the server's threads and must not block.
    package var onEvent: @Sendable (ServerEvent) -> Void = { _ in }
    /// Counts what is alive.
    package var ledger = Ledger.shared

    package init(endpoints: [Endpoint]) {
        self.endpoints = endpoints
        // Who does not answer is gone, call or no call; and clients may ask as well.
        transport.keepaliveWithoutCalls = true
    }
}

/// What a server tells of itself, for a log and for metrics.
package enum ServerEvent: Sendable {
    /// A connection was accepted on a Unix socket or an inherited listener.
    case connectionOpened(Peer)
    /// Such a connection ended.
    case connectionClosed(Peer)
    /// Such a connection was closed before it could make a call, and why.
    case connectionRefused(Peer, reason: String)
    /// No connection can be accepted for the moment, and why.
    case acceptPaused(reason: String)
    /// A call was turned away because too many are served.
    case callRefused(ServerRequest)
    /// New contents of these files are in use.
    case filesReloaded(paths: [String])
    /// These files have changed but are no good; their old contents stay in use.
    case filesRefused(paths: [String], RPCError)
}
