import PosedAccounts
import PosedGuarded
import PosedRPC
import Testing

@Suite("Connections of proxies", .timeLimit(.minutes(10)))
struct ProxyTests {
    /// Runs a test with a server that believes 127.0.0.1 to be a proxy, and lets each client have two connections.
    private func run(_ test: (Harness) async throws -> Void) async throws {
        let settings = Settings(server: { server in
            server.endpoints.append(.tcp(host: "127.0.0.1", port: 0, security: .insecure))
            server.proxies = ["127.0.0.1"]
            var limits = AccountLimits()
            limits.total[.connections] = 100
            limits.each[.connections] = 2
            server.accounts = Accounts(limits)
        })
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: {
            try await test($0)
        }
    }

    private func opened(_ harness: Harness, _ address: String) async {
        await harness.events.first {
            if case .connectionOpened(let peer) = $0 { peer.description == address } else { false }
        }
    }

    @Test func aConnectionIsTheClients() async throws {
        try await run { harness in
            let client = try RawClient(port: harness.port)
            client.send(ProxyHeaderTests.header() + RawClient.greeting)
            await opened(harness, "192.0.2.7:40000")
        }
    }

    @Test func theHeaderMayComeInPieces() async throws {
        try await run { harness in
            let client = try RawClient(port: harness.port)
            for byte in ProxyHeaderTests.header() + RawClient.greeting { client.send([byte]) }
            await opened(harness, "192.0.2.7:40000")
        }
    }

    @Test func clientsBehindAProxyStayApart() async throws {
        try await run { harness in
            var clients: [RawClient] = []
            func connect(_ host: UInt8, port: UInt8) throws {
                let client = try RawClient(port: harness.port)
                let addresses = [192, 0, 2, host, 10, 0, 0, 1, 0, port, 0, 1]
                client.send(ProxyHeaderTests.header(addresses: addresses) + RawClient.greeting)
                clients.append(client)
            }
            for (host, port) in [(1, 1), (1, 2), (2, 3)] as [(UInt8, UInt8)] {
                try connect(host, port: port)
                await opened(harness, "192.0.2.\(host):\(port)")
            }
            try connect(1, port: 4)
            await harness.events.first {
                if case .connectionRefused(let peer, _) = $0 {
                    peer.description == "192.0.2.1:4"
                } else {
                    false
                }
            }
        }
    }

    @Test func aProxyWithoutAHeaderIsRefused() async throws {
        try await run { harness in
            let client = try RawClient(port: harness.port)
            client.send(RawClient.greeting)
            #expect(await client.readToEnd() == [])
        }
    }

    @Test func aHeaderOfAnybodyElseIsRefused() async throws {
        let settings = Settings(server: {
            $0.endpoints.append(.tcp(host: "127.0.0.1", port: 0, security: .insecure))
            $0.proxies = ["192.0.2.1"]
        })
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            let client = try RawClient(port: harness.port)
            client.send(ProxyHeaderTests.header() + RawClient.greeting)
            #expect(await client.readToEnd() == [])
        }
    }
}
