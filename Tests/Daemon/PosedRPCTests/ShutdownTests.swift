import PosedGuarded
import PosedRPC
import Testing

@Suite("Shutdown", .timeLimit(.minutes(10)))
struct ShutdownTests {
    @Test("a graceful shutdown lets the calls that are served end well")
    func drains() async throws {
        let started = Signal()
        let go = Signal()
        try await Harness.run {
            try $0.unary(Methods.text) { request, _ in
                started.raise()
                await go.wait()
                return request + " done"
            }
        } test: { harness in
            let channel = harness.channel
            let answer = Task { try await channel.unary(Methods.text, "work") }
            await started.wait()
            harness.server.beginGracefulShutdown()
            // The socket is closed: nobody new gets in.
            var configuration = ChannelConfiguration(target: .unix(path: harness.folder["s"]))
            configuration.objectCounts = harness.objectCounts
            let late = try Channel(configuration)
            let error = await status { try await late.unary(Methods.text, "late") }
            #expect(error?.code == .unavailable)
            go.raise()
            let text = try await answer.value
            #expect(text == "work done")
            await harness.server.stopped()
        }
    }

    @Test("a forced end cancels handlers, tells clients and waits for both")
    func forced() async throws {
        let started = Signal()
        let reason = OneShot<CancellationReason>()
        try await Harness.run {
            try $0.unary(Methods.text) { _, context in
                context.onCancel { reason.fulfil($0) }
                started.raise()
                try await Task.sleep(for: .seconds(600))
                return ""
            }
        } test: { harness in
            let channel = harness.channel
            let answer = Task { try await channel.unary(Methods.text, "work") }
            await started.wait()
            harness.server.cancelAll()
            await harness.server.stopped()
            #expect(await reason.value() == .shutdown)
            let error = await status { try await answer.value }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("under load every call that a handler has finished is answered well")
    func underLoad() async throws {
        let finished = Guarded(0)
        let enough = Signal()
        try await Harness.run(Settings(server: { $0.queues = 2 })) {
            try $0.unary(Methods.echo) { request, _ in
                await Task.yield()
                let count = finished.withLock { count in
                    count += 1
                    return count
                }
                if count == 300 { enough.raise() }
                return request
            }
        } test: { harness in
            let channel = harness.channel
            let good = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        var good = 0
                        let message = MessageBytes(patternOf: 50_000)
                        while true {
                            guard let answer = try? await channel.unary(Methods.echo, message)
                            else { return good }
                            if answer == message { good += 1 }
                        }
                    }
                }
                await enough.wait()
                harness.server.beginGracefulShutdown()
                await harness.server.stopped()
                return await group.reduce(0, +)
            }
            #expect(good == finished.withLock { $0 })
        }
    }

    @Test("connections that stay open without a call do not hold up the end")
    func silentConnections() async throws {
        try await Harness.run {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            let client = try RawClient(harness.folder["s"])
            client.send(RawClient.greeting)
            await harness.events.first { if case .connectionOpened = $0 { true } else { false } }
            harness.server.beginGracefulShutdown()
            await harness.server.stopped()
            withExtendedLifetime(client) {}
        }
    }

    @Test("a server that never had a visitor ends too, and ends only once")
    func idle() async throws {
        try await Harness.run {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            harness.server.beginGracefulShutdown()
            harness.server.beginGracefulShutdown()
            harness.server.cancelAll()
            await harness.server.stopped()
            await harness.server.stopped()
            #expect(throws: RPCError.self) { try harness.server.start() }
        }
    }

    @Test("a server that never began can be ended")
    func neverBegan() async throws {
        let server = Server(
            configuration: ServerConfiguration(endpoints: []), router: Router())
        server.beginGracefulShutdown()
        await server.stopped()
        #expect(throws: RPCError.self) { try server.start() }
    }

    @Test("cancelling the task that runs a server ends it")
    func runCancelled() async throws {
        let objectCounts = ObjectCounts()
        let folder = try TemporaryFolder()
        var configuration = ServerConfiguration(
            endpoints: [.unix(path: folder["s"], mode: 0o600)])
        configuration.objectCounts = objectCounts
        do {
            let server = Server(configuration: configuration, router: Router())
            let task = Task { try await server.run() }
            while server.boundEndpoints.isEmpty { await Task.yield() }
            task.cancel()
            try await task.value
        }
        await objectCounts.settled()
    }
}
