/// Binds a server's endpoints, one after the other, so that a failure leaves nothing bound.
struct EndpointBinder {
    private(set) var bound: [BoundEndpoint] = []
    private(set) var listeners: [ListeningSocket] = []
    private(set) var stores: [CertificateStore] = []
    /// Servers of the library that nobody has taken over yet.
    private(set) var unclaimed: [CoreServer] = []
    private let configuration: ServerConfiguration
    private let queues: [CompletionQueue]

    init(configuration: ServerConfiguration, queues: [CompletionQueue]) {
        self.configuration = configuration
        self.queues = queues
    }

    /// Hands over the servers of TCP endpoints, which are bound but not started.
    mutating func claim() -> [CoreServer] {
        defer { unclaimed = [] }
        return unclaimed
    }

    /// - Throws: `RPCError` that says what was wrong with the endpoint.
    mutating func bind(_ endpoint: Endpoint) throws(RPCError) {
        switch endpoint {
        case .unix(let path, let mode):
            let socket = try ListeningSocket(
                path: path, mode: mode, ledger: configuration.ledger)
            listeners.append(socket)
            bound.append(.unix(path: path))
        case .listener(let number):
            let descriptor = Descriptor(number, ledger: configuration.ledger)
            listeners.append(try ListeningSocket(inherited: descriptor))
            bound.append(.listener(descriptor: number))
        case .tcp(let host, let port, let security):
            try bind(host, port, security)
        }
    }

    private mutating func bind(
        _ host: String, _ port: Int, _ security: ServerSecurity
    ) throws(RPCError) {
        guard (0...65535).contains(port) else {
            throw RPCError(.invalidArgument, "a port is a number of 0…65535, not \(port)")
        }
        let server = try CoreServer(
            options: configuration.transport, queues: queues, ledger: configuration.ledger)
        unclaimed.append(server)
        let credentials: ServerCredentials
        switch security {
        case .insecure: credentials = try ServerCredentials(insecure: configuration.ledger)
        case .tls(let files):
            let store = try CertificateStore(files, ledger: configuration.ledger)
            credentials = try ServerCredentials(store, ledger: configuration.ledger)
            stores.append(store)
        }
        let address = SocketAddress.joined(host: host, port: String(port))
        guard let actual = server.addPort(address, credentials) else {
            throw RPCError(
                .alreadyExists,
                "could not listen at \(address): it is in use or no address of this machine")
        }
        bound.append(.tcp(host: host, port: actual))
    }
}
