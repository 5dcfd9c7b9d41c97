/// A listening socket, and the certificates of the connections that it brings; nil for connections without TLS.
struct Listener {
    let socket: ListeningSocket
    let certificates: CertificateStore?
}

/// Binds a server's endpoints, one after the other, so that a failure leaves nothing bound.
struct EndpointBinder {
    private(set) var bound: [BoundEndpoint] = []
    private(set) var listeners: [Listener] = []
    private(set) var stores: [CertificateStore] = []
    private let objectCounts: ObjectCounts

    init(objectCounts: ObjectCounts) {
        self.objectCounts = objectCounts
    }

    /// - Throws: `RPCError` that says what was wrong with the endpoint.
    mutating func bind(_ endpoint: Endpoint) throws(RPCError) {
        switch endpoint {
        case .unix(let path, let mode):
            let socket = try ListeningSocket(path: path, mode: mode, objectCounts: objectCounts)
            listeners.append(Listener(socket: socket, certificates: nil))
            bound.append(.unix(path: path))
        case .listener(let number):
            let socket = try ListeningSocket(
                inherited: Descriptor(number, objectCounts: objectCounts))
            listeners.append(Listener(socket: socket, certificates: nil))
            bound.append(.listener(descriptor: number))
        case .tcp(let host, let port, let security):
            var store: CertificateStore?
            if case .tls(let files) = security { store = try CertificateStore(files) }
            let (sockets, actual) = try ListeningSocket.tcp(host, port, objectCounts: objectCounts)
            listeners += sockets.map { Listener(socket: $0, certificates: store) }
            if let store { stores.append(store) }
            bound.append(.tcp(host: host, port: actual))
        }
    }
}
