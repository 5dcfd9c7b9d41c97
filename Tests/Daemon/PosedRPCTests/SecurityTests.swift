import Foundation
import PosedRPC
import Testing

@Suite("TLS", .timeLimit(.minutes(10)))
struct SecurityTests {
    private let folder: TemporaryFolder
    private let authority: Authority
    private let identity: CertificateFiles

    init() throws {
        folder = try TemporaryFolder()
        authority = try Authority("authority", in: folder)
        let files = try authority.issue("server")
        identity = CertificateFiles(certificate: files.certificate, key: files.key)
    }

    /// A server with TLS that answers with what it knows of its caller.
    private func serve(
        _ tls: ServerSecurity.TLS, _ body: (Harness, Int) async throws -> Void
    ) async throws {
        let settings = Settings(server: { configuration in
            configuration.endpoints.append(
                .tcp(host: "127.0.0.1", port: 0, security: .tls(tls)))
            configuration.fileCheckInterval = .milliseconds(10)
        })
        try await Harness.run(settings) {
            try $0.unary(Methods.text) { _, context in
                guard let certificate = context.request.peer.certificate else { return "nobody" }
                let names = certificate.alternativeNames.sorted().joined(separator: ",")
                return "\(certificate.commonName ?? "-") \(names)"
            }
        } test: { harness in
            try await body(harness, try harness.port)
        }
    }

    private func channel(
        _ port: Int, _ tls: ChannelSecurity.TLS, _ harness: Harness
    ) throws -> Channel {
        var configuration = ChannelConfiguration(target: .tcp(host: "localhost", port: port))
        configuration.security = .tls(tls)
        configuration.objectCounts = harness.objectCounts
        return try Channel(configuration)
    }

    /// What the server answers to a new channel, or its status.
    private func ask(_ port: Int, _ tls: ChannelSecurity.TLS, _ harness: Harness) async throws
        -> Result<String, RPCError>
    {
        let channel = try channel(port, tls, harness)
        do {
            return .success(try await channel.unary(Methods.text, "who am I"))
        } catch let error as RPCError {
            return .failure(error)
        }
    }

    private func code(_ result: Result<String, RPCError>) -> StatusCode? {
        guard case .failure(let error) = result else { return nil }
        return error.code
    }

    @Test("a client that trusts the authority is served, one that trusts another is not")
    func trust() async throws {
        let other = try Authority("other", in: folder)
        try await serve(.init(identity: identity)) { harness, port in
            let good = try await ask(port, .init(roots: authority.roots), harness)
            #expect(try good.get() == "nobody")
            let wrong = try await ask(port, .init(roots: other.roots), harness)
            #expect(code(wrong) == .unavailable)
            let misnamed = try await ask(
                port, .init(roots: authority.roots, expectedName: "elsewhere.test"), harness)
            #expect(code(misnamed) == .unavailable)
        }
    }

    @Test("mutual TLS tells the names of the client's certificate")
    func mutual() async throws {
        let studio = try authority.issue("studio", names: "DNS:studio.test,URI:spiffe://test/a")
        let tls = ServerSecurity.TLS(
            identity: identity, clientRoots: authority.roots, requiresClientCertificate: true)
        try await serve(tls) { harness, port in
            let client = ChannelSecurity.TLS(
                roots: authority.roots,
                identity: CertificateFiles(certificate: studio.certificate, key: studio.key))
            let answer = try await ask(port, client, harness)
            #expect(try answer.get() == "studio spiffe://test/a,studio.test")
        }
    }

    @Test("clients with no, a foreign or an expired certificate are turned away")
    func badClients() async throws {
        let other = try Authority("other", in: folder)
        let foreign = try other.issue("foreign")
        let expired = try authority.issue("expired", validity: .expired)
        let tls = ServerSecurity.TLS(
            identity: identity, clientRoots: authority.roots, requiresClientCertificate: true)
        try await serve(tls) { harness, port in
            let none = try await ask(port, .init(roots: authority.roots), harness)
            #expect(code(none) == .unavailable)
            for files in [foreign, expired] {
                let client = ChannelSecurity.TLS(
                    roots: authority.roots,
                    identity: CertificateFiles(certificate: files.certificate, key: files.key))
                let answer = try await ask(port, client, harness)
                #expect(code(answer) == .unavailable)
            }
        }
    }

    @Test("an optional client certificate may be missing but not wrong")
    func optional() async throws {
        let other = try Authority("other", in: folder)
        let foreign = try other.issue("foreign")
        let tls = ServerSecurity.TLS(identity: identity, clientRoots: authority.roots)
        try await serve(tls) { harness, port in
            let none = try await ask(port, .init(roots: authority.roots), harness)
            #expect(try none.get() == "nobody")
            let client = ChannelSecurity.TLS(
                roots: authority.roots,
                identity: CertificateFiles(certificate: foreign.certificate, key: foreign.key))
            let answer = try await ask(port, client, harness)
            #expect(code(answer) == .unavailable)
        }
    }

    @Test("a server whose certificate has expired is not trusted")
    func expiredServer() async throws {
        let old = try authority.issue("old", validity: .expired)
        let files = CertificateFiles(certificate: old.certificate, key: old.key)
        try await serve(.init(identity: files)) { harness, port in
            let answer = try await ask(port, .init(roots: authority.roots), harness)
            #expect(code(answer) == .unavailable)
        }
    }

    @Test("new files are taken up by themselves, and old connections go on")
    func rotation() async throws {
        let next = try Authority("next", in: folder)
        try await serve(.init(identity: identity)) { harness, port in
            let old = try channel(port, .init(roots: authority.roots), harness)
            _ = try await old.unary(Methods.text, "")
            let renewed = try next.issue("renewed")
            // The certificate first, so that for a while the pair does not fit.
            try rename(renewed.certificate, to: identity.certificate)
            try rename(renewed.key, to: identity.key)
            await harness.events.first { event in
                if case .filesReloaded = event { true } else { false }
            }
            _ = try await old.unary(Methods.text, "")
            let fresh = try await ask(port, .init(roots: next.roots), harness)
            #expect(try fresh.get() == "nobody")
            let stale = try await ask(port, .init(roots: authority.roots), harness)
            #expect(code(stale) == .unavailable)
        }
    }

    @Test("files that are no good leave the old ones in use")
    func brokenRotation() async throws {
        try await serve(.init(identity: identity)) { harness, port in
            try "nonsense".write(toFile: identity.key, atomically: true, encoding: .utf8)
            await harness.events.first { event in
                if case .filesRefused = event { true } else { false }
            }
            #expect(throws: RPCError.self) { try harness.server.reloadCertificates() }
            let answer = try await ask(port, .init(roots: authority.roots), harness)
            #expect(try answer.get() == "nobody")
        }
    }

    @Test("certificates that cannot be served keep the server from starting")
    func unusable() throws {
        let other = try authority.issue("unrelated")
        let cases: [(ServerSecurity.TLS, String)] = [
            (.init(identity: .init(certificate: "/nowhere", key: identity.key)), "/nowhere"),
            (
                .init(identity: .init(certificate: identity.certificate, key: other.key)),
                "usable set"
            ),
            (
                .init(identity: .init(certificate: identity.key, key: identity.key)),
                "usable set"
            ),
            (.init(identity: identity, requiresClientCertificate: true), "authorities"),
        ]
        for (tls, words) in cases {
            let configuration = ServerConfiguration(
                endpoints: [.tcp(host: "127.0.0.1", port: 0, security: .tls(tls))])
            let server = Server(configuration: configuration, router: Router())
            let error = #expect(throws: RPCError.self) { try server.start() }
            #expect(error?.code == .failedPrecondition)
            #expect(error?.message.contains(words) == true)
        }
    }

    @Test("a channel takes up new certificates when told")
    func clientRotation() async throws {
        let next = try Authority("next", in: folder)
        try await serve(.init(identity: identity)) { harness, port in
            let mine = folder["trusted.pem"]
            try FileManager.default.copyItem(atPath: next.roots, toPath: mine)
            let channel = try channel(port, .init(roots: mine), harness)
            let error = await status { try await channel.unary(Methods.text, "") }
            #expect(error?.code == .unavailable)
            try rename(authority.roots, to: mine)
            try channel.reloadCertificates()
            let answer = try await channel.unary(Methods.text, "")
            #expect(answer == "nobody")
        }
    }

    @Test("what a message says passes through TLS unchanged, both ways, however slowly it is read")
    func largeMessages() async throws {
        let tls = ServerSecurity.TLS(identity: identity)
        let settings = Settings(server: { configuration in
            configuration.endpoints.append(
                .tcp(host: "127.0.0.1", port: 0, security: .tls(tls)))
        })
        try await Harness.run(settings) {
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            let channel = try channel(
                try harness.port, .init(roots: authority.roots), harness)
            let call = try channel.stream(Methods.chat)
            let messages = [1, 100_000, 0, 5_000_000, 17].map { MessageBytes(patternOf: $0) }
            async let sent: Void = {
                for message in messages { try await call.write(message) }
                try await call.finishWriting()
            }()
            for message in messages {
                try await Task.sleep(for: .milliseconds(20))
                #expect(try await call.next() == message)
            }
            #expect(try await call.next() == nil)
            try await sent
        }
    }

    @Test("a client that does not finish its handshake is shown out, and keeps nobody out")
    func silentHandshake() async throws {
        let tls = ServerSecurity.TLS(identity: identity)
        let settings = Settings(server: { configuration in
            configuration.endpoints.append(
                .tcp(host: "127.0.0.1", port: 0, security: .tls(tls)))
            configuration.greetingTimeout = .milliseconds(500)
            configuration.transport.handshakeTimeout = .milliseconds(500)
            configuration.maxPendingOfPeer = 8
        })
        try await Harness.run(settings) {
            try $0.unary(Methods.text) { request, _ in request }
        } test: { harness in
            let port = try harness.port
            let crowd = try (0..<30).map { _ in try RawClient(port: port) }
            crowd.last?.send([0x16, 0x03, 0x01, 0x02])
            let answer = try await ask(port, .init(roots: authority.roots), harness)
            #expect(try answer.get() == "who am I")
            for client in crowd { #expect(await client.readToEnd() == []) }
            let plain = try RawClient(port: port)
            plain.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            _ = await plain.readToEnd()
            await harness.events.first { event in
                if case .connectionRefused(_, let reason) = event {
                    reason.contains("handshake failed")
                } else {
                    false
                }
            }
        }
    }

    @Test("a connection ends when its client's certificate is not accepted any more")
    func revokedAuthority() async throws {
        let next = try Authority("next", in: folder)
        let studio = try authority.issue("studio")
        let roots = folder["clients.pem"]
        try FileManager.default.copyItem(atPath: authority.roots, toPath: roots)
        let tls = ServerSecurity.TLS(
            identity: identity, clientRoots: roots, requiresClientCertificate: true)
        try await serve(tls) { harness, port in
            let client = ChannelSecurity.TLS(
                roots: authority.roots,
                identity: CertificateFiles(certificate: studio.certificate, key: studio.key))
            let channel = try channel(port, client, harness)
            _ = try await channel.unary(Methods.text, "")
            try rename(next.roots, to: roots)
            await harness.events.first { event in
                if case .connectionRefused(_, let reason) = event {
                    reason.contains("not accepted any more")
                } else {
                    false
                }
            }
            let error = await status { try await channel.unary(Methods.text, "") }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("files that a refused reload has read are taken up by themselves")
    func refusedReload() async throws {
        let (other, spare) = (try authority.issue("other"), try authority.issue("spare"))
        let next = try Authority("next", in: folder)
        let settings = Settings(server: { configuration in
            let good = ServerSecurity.TLS(identity: identity)
            let bad = ServerSecurity.TLS(
                identity: .init(certificate: other.certificate, key: other.key))
            configuration.endpoints += [good, bad].map {
                .tcp(host: "127.0.0.1", port: 0, security: .tls($0))
            }
            // Only after the reload the watcher looks.
            configuration.fileCheckInterval = .seconds(1)
        })
        try await Harness.run(settings) {
            try $0.unary(Methods.text) { request, _ in request }
        } test: { harness in
            let renewed = try next.issue("renewed")
            try rename(spare.key, to: other.key)
            try rename(renewed.key, to: identity.key)
            try rename(renewed.certificate, to: identity.certificate)
            #expect(throws: RPCError.self) { try harness.server.reloadCertificates() }
            await harness.events.first { event in
                if case .filesReloaded = event { true } else { false }
            }
            let fresh = try await ask(try harness.port, .init(roots: next.roots), harness)
            #expect(try fresh.get() == "who am I")
        }
    }

    private func rename(_ source: String, to target: String) throws {
        guard Foundation.rename(source, target) == 0 else {
            throw Authority.Failure(description: "rename: \(errno)")
        }
    }
}
