import PosedAccounts
import PosedGuarded
import PosedRPC
import Testing

@Suite("Limits and flow control", .timeLimit(.minutes(10)))
struct LimitTests {
    @Test("a request beyond the server's limit fails alone")
    func largeRequest() async throws {
        let settings = Settings(server: { $0.transport.maxReceiveBytes = 1000 })
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            let fits = MessageBytes(patternOf: 1000)
            let answer = try await harness.channel.unary(Methods.echo, fits)
            #expect(answer == fits)
            let error = await status {
                try await harness.channel.unary(Methods.echo, MessageBytes(patternOf: 1001))
            }
            #expect(error?.code == .resourceExhausted)
            let again = try await harness.channel.unary(Methods.echo, fits)
            #expect(again == fits)
        }
    }

    @Test("a reply beyond either side's limit is a status, not a broken connection")
    func largeReply() async throws {
        let settings = Settings(
            server: { $0.transport.maxSendBytes = 2000 },
            channel: { $0.transport.maxReceiveBytes = 1000 })
        try await Harness.run(settings) {
            try $0.unary(Methods.text) { request, _ in
                String(repeating: "x", count: Int(request) ?? 0)
            }
        } test: { harness in
            let fits = try await harness.channel.unary(Methods.text, "1000")
            #expect(fits.utf8.count == 1000)
            for size in ["1001", "2001"] {
                let error = await status { try await harness.channel.unary(Methods.text, size) }
                #expect(error?.code == .resourceExhausted)
            }
        }
    }

    @Test("a client does not send what is beyond its own limit")
    func largeSend() async throws {
        let settings = Settings(channel: { $0.transport.maxSendBytes = 10 })
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            let large = MessageBytes(patternOf: 11)
            let error = await status { try await harness.channel.unary(Methods.echo, large) }
            #expect(error?.code == .resourceExhausted)
            let call = try harness.channel.stream(Methods.chat)
            let refused = await status { try await call.write(large) }
            #expect(refused?.code == .resourceExhausted)
            // The stream lives.
            let small = MessageBytes(patternOf: 10)
            try await call.write(small)
            let answer = try await call.next()
            #expect(answer == small)
            try await call.finishWriting()
        }
    }

    @Test("calls beyond the limit are turned away, and room is made when one ends")
    func tooManyCalls() async throws {
        let started = Signal()
        let go = Signal()
        var limits = AccountLimits()
        limits.each[.calls] = 1
        let accounts = Accounts(limits)
        try await Harness.run(Settings(server: { $0.admit = Admission.everybody(accounts) })) {
            try $0.unary(Methods.text) { request, _ in
                started.raise()
                await go.wait()
                return request
            }
        } test: { harness in
            let channel = harness.channel
            let first = Task { try await channel.unary(Methods.text, "first") }
            await started.wait()
            let error = await status { try await channel.unary(Methods.text, "second") }
            #expect(error?.code == .resourceExhausted)
            go.raise()
            let text = try await first.value
            #expect(text == "first")
            while harness.server.liveCalls > 0 { await Task.yield() }
            let third = try await channel.unary(Methods.text, "third")
            #expect(third == "third")
        }
    }

    /// What both sides' windows and buffers may hold of messages of one mebibyte.
    private static let inFlight = 20

    @Test("a client that does not read stops the writer, and the deadline frees it")
    func slowReader() async throws {
        let written = Guarded(0)
        let begun = Guarded(false)
        let stopped = OneShot<Bool>()
        try await Harness.run {
            try $0.serverStreaming(Methods.count) { _, writer, _ in
                begun.withLock { $0 = true }
                let message = MessageBytes(repeating: 7, count: 1 << 20)
                do {
                    while true {
                        try await writer.write(message)
                        written.withLock { $0 += 1 }
                    }
                } catch {
                    stopped.fulfil(error is CancellationError)
                    throw error
                }
            }
        } test: { harness in
            // On a busy machine the first deadlines may pass before the call has arrived.
            for seconds in [2, 10, 30] where !begun.withLock({ $0 }) {
                let options = CallOptions(timeout: .seconds(seconds))
                let call = try harness.channel.stream(Methods.count, options: options)
                do {
                    try await call.write(MessageBytes())
                } catch let error as RPCError {
                    #expect(error.code == .deadlineExceeded)
                }
                let status = await call.status()
                #expect(status.code == .deadlineExceeded)
            }
            try #require(begun.withLock { $0 })
            #expect(await stopped.value())
            #expect(written.withLock { $0 } < Self.inFlight)
        }
    }

    @Test("cancelling frees a writer whose client does not read")
    func slowReaderCancels() async throws {
        let stopped = OneShot<Bool>()
        try await Harness.run {
            try $0.serverStreaming(Methods.count) { _, writer, context in
                do {
                    while true {
                        try await writer.write(MessageBytes(repeating: 7, count: 1 << 20))
                    }
                } catch {
                    stopped.fulfil(context.cancellation == .client)
                    throw error
                }
            }
        } test: { harness in
            let call = try await harness.channel.serverStreaming(Methods.count, MessageBytes())
            _ = try await call.next()
            call.cancel()
            #expect(await stopped.value())
        }
    }

    @Test("a server that does not read stops the client, and the deadline frees it")
    func slowServer() async throws {
        try await Harness.run {
            try $0.clientStreaming(Methods.collect) { _, _ in
                try await Task.sleep(for: .seconds(600))
                return MessageBytes()
            }
        } test: { harness in
            let options = CallOptions(timeout: .seconds(2))
            let call = try harness.channel.stream(Methods.collect, options: options)
            var sent = 0
            do {
                while true {
                    try await call.write(MessageBytes(repeating: 7, count: 1 << 20))
                    sent += 1
                }
            } catch let error as RPCError {
                #expect(error.code == .deadlineExceeded)
            }
            #expect(sent < Self.inFlight)
        }
    }

    @Test("a writer goes on when the server begins to read")
    func lateServer() async throws {
        let go = Signal()
        try await Harness.run {
            try $0.clientStreaming(Methods.collect) { requests, _ in
                await go.wait()
                var count = 0
                for try await request in requests { count += request.count }
                return MessageBytes(text: "\(count)")
            }
        } test: { harness in
            let call = try harness.channel.stream(Methods.collect)
            let writer = Task {
                for round in 0..<40 {
                    if round == 2 { go.raise() }
                    try await call.write(MessageBytes(repeating: 7, count: 1 << 20))
                }
                try await call.finishWriting()
            }
            try await writer.value
            let answer = try await call.next()
            #expect(try answer?.text == "\(40 << 20)")
        }
    }

    @Test("metadata beyond the limit is refused")
    func largeMetadata() async throws {
        try await Harness.run(Settings(server: { $0.transport.maxMetadataBytes = 4096 })) {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            var options = CallOptions()
            try options.metadata.add("x-large", String(repeating: "x", count: 10_000))
            let error = await status {
                try await harness.channel.unary(Methods.echo, MessageBytes(), options: options)
            }
            #expect(error?.code == .resourceExhausted)
            let answer = try await harness.channel.unary(Methods.echo, MessageBytes())
            #expect(answer.isEmpty)
        }
    }
}
