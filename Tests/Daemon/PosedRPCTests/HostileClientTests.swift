import Foundation
import PosedAccounts
import PosedGuarded
import PosedRPC
import Testing

@Suite("Hostile clients", .timeLimit(.minutes(10)))
struct HostileClientTests {
    /// Echoes; after whatever happened to it a good client must be served as ever.
    private func survive(
        _ settings: Settings = Settings(), _ attack: (Harness) async throws -> Void
    ) async throws {
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            try await attack(harness)
            let answer = try await harness.channel.unary(Methods.echo, MessageBytes(text: "alive"))
            #expect(try answer.text == "alive")
        }
    }

    @Test("whoever does not speak HTTP/2 is shown out without reaching the library")
    func garbage() async throws {
        try await survive { harness in
            let attempts = [
                "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\u{16}\u{3}\u{1}\0", "PRI * HTTP/1.0\r\n\r\n",
                String(repeating: "x", count: 100_000),
            ]
            for text in attempts {
                let client = try RawClient(harness.folder["s"])
                client.send(Array(text.utf8))
                #expect(await client.readToEnd() == [])
            }
            #expect(
                harness.events.all.filter {
                    if case .connectionRefused = $0 { true } else { false }
                }
                .count == attempts.count)
        }
    }

    @Test("a client that says nothing, or only half a greeting, is shown out in time")
    func silence() async throws {
        let settings = Settings(server: { $0.greetingTimeout = .milliseconds(50) })
        try await survive(settings) { harness in
            let silent = try RawClient(harness.folder["s"])
            let half = try RawClient(harness.folder["s"])
            half.send(Array("PRI * HT".utf8))
            #expect(await silent.readToEnd() == [])
            #expect(await half.readToEnd() == [])
        }
    }

    @Test("who only looks whether somebody listens is no trouble")
    func probe() async throws {
        try await survive { harness in
            for _ in 0..<3 { _ = try RawClient(harness.folder["s"]) }
            await harness.events.first { if case .connectionClosed = $0 { true } else { false } }
            let refused = harness.events.all.contains {
                if case .connectionRefused = $0 { true } else { false }
            }
            #expect(!refused)
        }
    }

    @Test("silent connections do not keep out who speaks, on Unix sockets and over TCP")
    func silentCrowd() async throws {
        let settings = Settings(server: { configuration in
            configuration.maxPendingOfPeer = 8
            configuration.endpoints.append(
                .tcp(host: "127.0.0.1", port: 0, security: .insecure))
        })
        try await survive(settings) { harness in
            var crowd: [RawClient] = []
            for _ in 0..<50 {
                crowd.append(try RawClient(harness.folder["s"]))
                crowd.append(try RawClient(port: try harness.port))
            }
            var target = ChannelConfiguration(
                target: .tcp(host: "127.0.0.1", port: try harness.port))
            target.objectCounts = harness.objectCounts
            let answer = try await Channel(target).unary(Methods.echo, MessageBytes(text: "I"))
            #expect(try answer.text == "I")
            withExtendedLifetime(crowd) {}
        }
    }

    @Test("a greeting that comes in pieces is a greeting")
    func slowGreeting() async throws {
        try await survive { harness in
            let client = try RawClient(harness.folder["s"])
            for byte in RawClient.greeting { client.send([byte]) }
            client.send(RawClient.headers(Methods.echo.path, stream: 1))
            client.send(RawClient.data(stream: 1, claimed: 2, [104, 105], ending: true))
            await harness.events.first { if case .connectionOpened = $0 { true } else { false } }
        }
    }

    @Test("nonsense after a good greeting ends the connection")
    func nonsenseAfterGreeting() async throws {
        try await survive { harness in
            for seed in 0..<20 {
                let client = try RawClient(harness.folder["s"])
                var generator = SeededGenerator(seed: UInt64(seed))
                client.send(RawClient.greeting)
                client.send(
                    (0..<4096).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
                // Frames of settings that claim more than there is, of every type, on any stream.
                client.send(
                    RawClient.frame(
                        type: UInt8(seed), flags: 255, stream: UInt32(seed * 2 + 1), [1, 2, 3]))
            }
        }
    }

    @Test("half-open streams are cancelled when their client vanishes")
    func halfOpen() async throws {
        let reasons = Guarded<Int>(0)
        let all = Signal()
        try await Harness.run {
            try $0.bidirectional(Methods.chat) { requests, _, context in
                context.onCancel { _ in
                    let count = reasons.withLock { count in
                        count += 1
                        return count
                    }
                    if count == 10 { all.raise() }
                }
                while try await requests.next() != nil {}
            }
        } test: { harness in
            let opened = OneShot<Bool>()
            do {
                var clients: [RawClient] = []
                for _ in 0..<10 {
                    let client = try RawClient(harness.folder["s"])
                    client.send(RawClient.greeting)
                    client.send(RawClient.headers(Methods.chat.path, stream: 1))
                    // A message of which half never comes.
                    client.send(
                        RawClient.data(stream: 1, claimed: 100, [1, 2, 3], ending: false))
                    clients.append(client)
                }
                while harness.server.liveCalls < 10 { await Task.yield() }
                opened.raise()
                withExtendedLifetime(clients) {}
            }
            await all.wait()
        }
    }

    @Test("a stream that is cut off is cancelled, never taken for complete")
    func cutOff() async throws {
        for _ in 0..<50 {
            let outcome = OneShot<Bool>()
            let began = Signal()
            try await Harness.run {
                try $0.clientStreaming(Methods.collect) { requests, _ in
                    do {
                        while try await requests.next() != nil { began.raise() }
                        outcome.fulfil(true)
                    } catch {
                        outcome.fulfil(false)
                        throw error
                    }
                    return MessageBytes()
                }
            } test: { harness in
                do {
                    let client = try RawClient(harness.folder["s"])
                    client.send(RawClient.greeting)
                    client.send(RawClient.headers(Methods.collect.path, stream: 1))
                    client.send(RawClient.data(stream: 1, claimed: 2, [1, 2], ending: false))
                    await began.wait()
                    // RST_STREAM with CANCEL, then the connection goes.
                    client.send(RawClient.frame(type: 3, flags: 0, stream: 1, [0, 0, 0, 8]))
                }
                #expect(await outcome.value() == false)
            }
        }
    }

    @Test("a message that claims to be beyond the limit ends its call alone")
    func oversizeClaim() async throws {
        try await survive { harness in
            let client = try RawClient(harness.folder["s"])
            client.send(RawClient.greeting)
            client.send(RawClient.headers(Methods.echo.path, stream: 1))
            client.send(
                RawClient.data(stream: 1, claimed: 0xFFFF_FFFF, [1, 2, 3], ending: false))
            client.send(RawClient.headers(Methods.echo.path, stream: 3))
            client.send(RawClient.data(stream: 3, claimed: 1, [7], ending: true))
            await harness.events.first { if case .connectionOpened = $0 { true } else { false } }
        }
    }

    @Test("connections beyond the limit are refused, and room is made when one goes")
    func tooManyConnections() async throws {
        let settings = Settings(server: { $0.accounts.limits.each[.connections] = 2 })
        try await survive(settings) { harness in
            do {
                let first = try RawClient(harness.folder["s"])
                let second = try RawClient(harness.folder["s"])
                first.send(RawClient.greeting)
                second.send(RawClient.greeting)
                let third = try RawClient(harness.folder["s"])
                #expect(await third.readToEnd() == [])
            }
            await harness.events.first { if case .connectionClosed = $0 { true } else { false } }
        }
    }
}

/// Random numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &+ 0x9E37_79B9_7F4A_7C15
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
