internal import Glibc
internal import HTTPTypes
internal import Hummingbird
package import Logging
internal import PosedGuarded
package import PosedRPC
package import PosedService

/// Serves the API and the studio over HTTP/1.1, with WebSockets for live streams.
///
/// Connections are accepted by the same code as those of gRPC, so their number, their accounts and their TLS are
/// the same. Requests are routed by Hummingbird.
package final class APIServer: Sendable {
    /// What the API is and allows.
    package struct Options: Sendable {
        /// The host of the address, for the check of `Host`.
        package var host = "127.0.0.1"
        /// Whether the address has TLS.
        package var isSecure = false
        /// Further values of `Host` that mean this server, such as `posed.example.org`.
        package var hosts: [String] = []
        /// The largest body of a request, in bytes.
        package var maxBodyBytes = 16 << 20
        /// How long a connection may be quiet between two requests, and take for the head of one.
        package var idleTimeout = Duration.seconds(60)
        /// How long the body of a request may take.
        package var bodyTimeout = Duration.seconds(30)
        /// How long a client may read nothing of what it asked for.
        package var writeTimeout = Duration.seconds(60)
        /// The people and motions that the studio offers.
        package var samples: [SamplePerson] = []

        /// The defaults.
        package init() {}
    }

    /// What the server asks of the daemon.
    package struct Host: Sendable {
        /// Decides about a call; `known` is whom a browser's cookie stands for.
        package typealias Admit =
            @Sendable (_ request: ServerRequest, _ known: Identity?) throws(RPCError) -> Admission
        /// Runs a call that was let in.
        package typealias Serve =
            @Sendable (
                _ request: ServerRequest, _ identity: Identity,
                _ body: () async throws -> Void
            ) async throws -> Void

        let admit: Admit
        let identify: @Sendable (ServerRequest, Identity?) throws(RPCError) -> Identity
        let serve: Serve
        let refused: @Sendable (ServerRequest, RPCError) -> Void

        /// - Parameters:
        ///   - admit: finds out who calls, and takes the call from the caller's account.
        ///   - identify: finds out who calls.
        ///   - serve: runs a call, counts it, and logs how it ended.
        ///   - refused: told of a call that was not let in.
        package init(
            admit: @escaping Admit,
            identify: @escaping @Sendable (ServerRequest, Identity?) throws(RPCError) -> Identity,
            serve: @escaping Serve, refused: @escaping @Sendable (ServerRequest, RPCError) -> Void
        ) {
            (self.admit, self.identify, self.serve, self.refused) = (
                admit, identify, serve, refused
            )
        }
    }

    private let gateway: Gateway
    private let api: API
    private let connections = Connections()
    private let logger: Logger

    /// A server of the daemon's services at the endpoint of a configuration.
    ///
    /// - Parameter browsers: who may use the studio.
    package init(
        _ configuration: ServerConfiguration, options: Options, services: Services,
        browsers: Browsers, host: Host, logger: Logger
    ) {
        gateway = Gateway(configuration)
        self.logger = logger
        api = API(services: services, browsers: browsers, host: host, options: options)
    }

    /// Binds the endpoint and begins to serve.
    ///
    /// - Returns: the port.
    /// - Throws: `RPCError` for an address that cannot be listened at, and certificates that are no good.
    package func start() throws(RPCError) -> Int {
        let router = Hummingbird.Router(context: APIContext.self)
        api.register(in: router)
        let responder = router.buildResponder()
        let bound = try gateway.start { [self] descriptor, peer in
            let channel = APIConnection(
                peer: peer, api: api, logger: logger,
                respond: { try await responder.respond(to: $0, context: APIContext($1)) })
            guard let task = connections.run({ await channel.serve(descriptor, $0) }) else {
                close(descriptor)
                return nil
            }
            return { task.cancel() }
        }
        guard case .tcp(_, let port)? = bound.first else { return 0 }
        api.port.number.withLock { $0 = port }
        return port
    }

    /// How many requests are served.
    package var liveCalls: Int { connections.busy }

    /// Reads the files of certificates again. Throws what `Gateway.reloadCertificates` throws.
    package func reloadCertificates() throws(RPCError) { try gateway.reloadCertificates() }

    /// Ends the calls of those who could not make them any more.
    package func revoke() {
        connections.revoke { call in
            let identity: Identity?
            do throws(RPCError) {
                identity = try api.host.identify(call.request, call.known)
            } catch {
                identity = nil
            }
            return identity != call.identity
        }
    }

    /// Admits no more connections and requests; those that are being served go on.
    package func beginGracefulShutdown() {
        gateway.stopListening()
        connections.drain()
    }

    /// Ends all calls and connections now.
    package func cancelAll() {
        beginGracefulShutdown()
        connections.cancelAll()
    }

    /// Returns when the server was told to end and its last connection is over.
    package func stopped() async {
        await connections.ended()
        await gateway.end()
    }
}

/// The context of a request.
struct APIContext: RequestContext {
    /// What a context is made from.
    struct Origin: RequestContextSource {
        let logger: Logger
        let peer: Peer
        let connection: Connections.Entry
    }

    typealias Source = Origin

    var coreContext: CoreRequestContextStorage
    let peer: Peer
    let connection: Connections.Entry

    init(source: Origin) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.peer
        connection = source.connection
    }

    init(_ origin: Origin) { self.init(source: origin) }
}
