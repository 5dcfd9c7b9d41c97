internal import Logging
internal import PosedAccounts
internal import PosedBase
internal import PosedHTTP
internal import PosedRPC
internal import PosedService
internal import PosedTelemetry

extension ServingCore {
    /// Serves the API and the studio over HTTP, at the address that the configuration says.
    ///
    /// - Parameter server: how the server of gRPC runs; what is about connections holds here, too.
    /// - Throws: `DaemonError` where the address cannot be listened on.
    func serveHTTP(
        _ services: Services, _ access: AccessControl, _ browsers: Browsers,
        _ telemetry: CallTelemetry, _ server: ServerConfiguration,
        _ configuration: DaemonConfiguration
    ) throws -> APIServer? {
        guard let address = configuration[Settings.HTTP.address] else { return nil }
        var settings = server
        var security = configuration.tcpSecurity
        if case .tls(var tls) = security {
            tls.speaksHTTP1 = true
            security = .tls(tls)
        }
        settings.endpoints = [.tcp(host: address.host, port: address.port, security: security)]
        settings.reloadable = []
        let host = APIServer.Host(
            admit: { (request, known) throws(RPCError) in
                try access.admit(request, over: .http(known: known))
            },
            identify: { (request, known) throws(RPCError) in
                try access.identity(request, over: .http(known: known))
            },
            serve: { request, identity, body in
                try await telemetry.watch(
                    request, identity, told: { $0 as? RPCError ?? RPCError(.unknown, "\($0)") },
                    body)
            },
            refused: { telemetry.refused($0, $1) })
        let options = configuration.http(at: address, isSecure: security != .insecure)
        let logger = log.logger("posed.http")
        let api = APIServer(
            settings, options: options, services: services, browsers: browsers, host: host,
            logger: logger)
        let port: Int
        do {
            port = try api.start()
        } catch {
            throw DaemonError(
                .address,
                "http.api.address should be one to listen on; \(address) is not: \(error.message)",
                cause: error)
        }
        let place =
            "\(options.isSecure ? "https" : "http")://"
            + "\(HostPort(host: address.host, port: port))"
        browsers.studio = place + "/studio"
        logger.notice("The API is at \(place), the studio at \(place)/studio")
        return api
    }
}

extension DaemonConfiguration {
    fileprivate func http(at address: HostPort, isSecure: Bool) -> APIServer.Options {
        var options = APIServer.Options()
        options.host = address.host
        options.isSecure = isSecure
        options.hosts = self[Settings.HTTP.hosts]
        options.maxBodyBytes = self[Settings.RPC.maxReceiveBytes]
        options.idleTimeout = self[Settings.HTTP.idleTimeout]
        options.bodyTimeout = self[Settings.Limits.firstMessageTimeout]
        options.writeTimeout = self[Settings.HTTP.idleTimeout]
        let folder = self[Settings.Model.folder].map { $0 + "/samples" }
        options.samples = SamplePerson.all(in: self[Settings.HTTP.samples] ?? folder ?? "")
        return options
    }
}
