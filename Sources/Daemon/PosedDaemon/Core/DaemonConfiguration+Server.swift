internal import PosedBase
internal import PosedRPC
internal import PosedSystemd

extension DaemonConfiguration {
    /// How the server is to run.
    ///
    /// - Parameter activated: what the service manager passed; its sockets take the place of the Unix
    ///   socket.
    /// - Throws: `DaemonError` `.address` for a socket that is not a listening Unix socket.
    func server(activated: [ListenDescriptor]) throws -> ServerConfiguration {
        var endpoints = try activated.filter(\.isSocket).map { socket in
            guard try socket.kind() == .unixStream else {
                throw DaemonError(
                    .address,
                    "descriptor \(socket.number) ('\(socket.name)') from the service manager should be "
                        + "a listening Unix stream socket; TCP goes with listen.tcp.addresses")
            }
            return Endpoint.listener(descriptor: socket.number)
        }
        if endpoints.isEmpty, let path = self[Settings.Listen.unixPath] {
            endpoints.append(.unix(path: path, mode: UInt32(self[Settings.Listen.unixMode])))
        }
        let security = tcpSecurity
        for address in self[Settings.Listen.tcpAddresses] {
            endpoints.append(.tcp(host: address.host, port: address.port, security: security))
        }
        var configuration = ServerConfiguration(endpoints: endpoints)
        configuration.proxies = Set(self[Settings.Listen.proxies])
        configuration.transport.maxReceiveBytes = self[Settings.RPC.maxReceiveBytes]
        configuration.transport.maxSendBytes = self[Settings.RPC.maxSendBytes]
        configuration.transport.maxConcurrentStreams = self[Settings.RPC.maxConcurrentStreams]
        configuration.transport.keepaliveTime = self[Settings.RPC.keepaliveTime]
        configuration.transport.keepaliveTimeout = self[Settings.RPC.keepaliveTimeout]
        return configuration
    }

    /// What protects TCP.
    var tcpSecurity: ServerSecurity {
        guard let certificate = self[Settings.Listen.certificate],
            let key = self[Settings.Listen.key]
        else { return .insecure }
        return .tls(
            .init(
                identity: CertificateFiles(certificate: certificate, key: key),
                clientRoots: self[Settings.Listen.clientCA],
                requiresClientCertificate: self[Settings.Listen.requireClientCertificate]))
    }
}
