import PosedGuarded
import PosedRPC
import Testing

@Suite("Cancellation and deadlines", .timeLimit(.minutes(10)))
struct CancellationTests {
    /// Waits until the call is cancelled, and notes that it was and why.
    private static func waiting(
        _ started: Signal, _ reason: OneShot<CancellationReason>
    ) -> @Sendable (MessageBytes, ServerContext) async throws -> MessageBytes {
        { _, context in
            context.onCancel { reason.fulfil($0) }
            started.raise()
            try await Task.sleep(for: .seconds(600))
            return MessageBytes()
        }
    }

    @Test("a client's cancellation reaches the handler's task and its actions")
    func clientCancels() async throws {
        let started = Signal()
        let reason = OneShot<CancellationReason>()
        try await Harness.run {
            try $0.unary(Methods.echo, Self.waiting(started, reason))
        } test: { harness in
            let channel = harness.channel
            let task = Task { try await channel.unary(Methods.echo, MessageBytes()) }
            await started.wait()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(await reason.value() == .client)
        }
    }

    @Test("a deadline ends the call on both sides")
    func deadline() async throws {
        let reasons = Guarded<[OneShot<CancellationReason>]>([])
        try await Harness.run {
            try $0.unary(Methods.echo) { _, context in
                let reason = OneShot<CancellationReason>()
                context.onCancel { reason.fulfil($0) }
                reasons.withLock { $0.append(reason) }
                try await Task.sleep(for: .seconds(600))
                return MessageBytes()
            }
        } test: { harness in
            // On a busy machine the first deadlines may pass before the call has arrived.
            for timeout in [100, 1000, 10_000] where reasons.withLock({ $0.isEmpty }) {
                let options = CallOptions(timeout: .milliseconds(timeout))
                let error = await status {
                    try await harness.channel.unary(
                        Methods.echo, MessageBytes(), options: options)
                }
                #expect(error?.code == .deadlineExceeded)
            }
            let reason = try #require(reasons.withLock { $0.first })
            // Whoever notices first that it is over; the client does not wait for the server.
            let known = await reason.value()
            #expect(known == .deadline || known == .client)
        }
    }

    @Test("the server ends a call at its deadline though the client says nothing")
    func deadlineOfServer() async throws {
        let reason = OneShot<CancellationReason>()
        try await Harness.run {
            try $0.clientStreaming(Methods.collect) { requests, context in
                context.onCancel { reason.fulfil($0) }
                while try await requests.next() != nil {}
                return MessageBytes()
            }
        } test: { harness in
            let client = try RawClient(harness.folder["s"])
            client.send(RawClient.greeting)
            client.send(
                RawClient.headers(
                    Methods.collect.path, stream: 1, more: [("grpc-timeout", "300m")]))
            #expect(await reason.value() == .deadline)
            withExtendedLifetime(client) {}
        }
    }

    @Test("the handler knows the deadline")
    func deadlineKnown() async throws {
        try await Harness.run {
            try $0.unary(Methods.text) { _, context in
                guard let deadline = context.request.deadline else { return "none" }
                let left = ContinuousClock.now.duration(to: deadline)
                // On the wire, an hour is rounded up to ten seconds.
                return left > .seconds(3000) && left < .seconds(3611) ? "some" : "\(left)"
            }
        } test: { harness in
            let without = try await harness.channel.unary(Methods.text, "")
            let options = CallOptions(timeout: .seconds(3600))
            let with = try await harness.channel.unary(Methods.text, "", options: options)
            #expect((without, with) == ("none", "some"))
        }
    }

    @Test("a call that was late when it began fails without being served")
    func lateAlready() async throws {
        try await Harness.run {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            let options = CallOptions(timeout: .seconds(-1))
            let error = await status {
                try await harness.channel.unary(Methods.echo, MessageBytes(), options: options)
            }
            #expect(error?.code == .deadlineExceeded)
        }
    }

    @Test("letting go of a streaming call cancels it")
    func letGo() async throws {
        let reason = OneShot<CancellationReason>()
        try await Harness.run {
            try $0.bidirectional(Methods.chat) { requests, writer, context in
                context.onCancel { reason.fulfil($0) }
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            do {
                let call = try harness.channel.stream(Methods.chat)
                try await call.write(MessageBytes(text: "hello"))
                _ = try await call.next()
            }
            #expect(await reason.value() == .client)
        }
    }

    /// Where a call is when its client cancels it.
    enum Stage: CaseIterable {
        case beforeReading, reading, working, writing, afterReply
    }

    @Test("a call can be cancelled wherever it is", arguments: Stage.allCases)
    func everywhere(stage: Stage) async throws {
        let here = Signal()
        let over = OneShot<CancellationReason>()
        /// Waits at the stage of the test until the call is cancelled.
        @Sendable func pass(_ current: Stage) async throws {
            guard current == stage else { return }
            here.raise()
            _ = await over.value()
            try Task.checkCancellation()
        }
        let around: ServerInterceptor = { _, context, next in
            context.onCancel { over.fulfil($0) }
            try await pass(.beforeReading)
            try await next()
            try await pass(.afterReply)
        }
        try await Harness.run(Settings(interceptors: [around])) {
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                if stage == .reading {
                    here.raise()
                    while try await requests.next() != nil {}
                }
                try await pass(.working)
                if stage == .writing {
                    here.raise()
                    while true {
                        try await writer.write(MessageBytes(repeating: 7, count: 1 << 20))
                    }
                }
            }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            try await call.write(MessageBytes())
            await here.wait()
            call.cancel()
            #expect(await over.value() == .client)
            #expect(await call.status().code == .cancelled)
        }
    }

    @Test("cancelling calls at any moment leaves nothing behind")
    func anyMoment() async throws {
        try await Harness.run(Settings(server: { $0.queues = 2 })) {
            try $0.unary(Methods.echo) { request, _ in
                await Task.yield()
                return request
            }
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            let channel = harness.channel
            let message = MessageBytes(repeating: 7, count: 100_000)
            await withTaskGroup(of: Void.self) { group in
                for round in 0..<200 {
                    group.addTask {
                        let task = Task {
                            if round.isMultiple(of: 2) {
                                _ = try await channel.unary(Methods.echo, message)
                            } else {
                                let call = try channel.stream(Methods.chat)
                                try await call.write(message)
                                _ = try await call.next()
                                try await call.finishWriting()
                                _ = try await call.next()
                            }
                        }
                        for _ in 0..<(round * 3) { await Task.yield() }
                        task.cancel()
                        _ = await task.result
                    }
                }
            }
            let answer = try await channel.unary(Methods.echo, message)
            #expect(answer == message)
        }
    }
}
