import Dispatch
import PosedAccounts
import PosedErrors
import PosedGuarded
import PosedRPC
import Testing

extension Authentication {
    /// Lets in whom the authentication knows, without bounds.
    var admit: Admit {
        let accounts = Accounts()
        return { [self] (request) throws(RPCError) in
            let identity = try identify(request)
            let account = accounts.account(of: Caller(identity))
            do throws(RequestError) {
                return Admission(
                    identity: identity, account: account, call: try account.take(.calls))
            } catch {
                throw RPCError(plain: error)
            }
        }
    }
}

@Suite("Admission and what is charged for a call", .timeLimit(.minutes(10)))
struct AdmissionTests {
    private func bounded(_ resource: Resource, _ limit: Int) -> Accounts {
        var limits = AccountLimits()
        limits.each[resource] = limit
        return Accounts(limits)
    }

    @Test("a call that sends no first message is ended, and its place is free again")
    func noFirstMessage() async throws {
        let accounts = bounded(.calls, 1)
        let settings = Settings(server: {
            $0.admit = Admission.everybody(accounts)
            // Long enough for a call whose message is on its way on a busy machine.
            $0.firstMessageTimeout = .seconds(15)
        })
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
            try $0.bidirectional(Methods.chat) { requests, _, _ in _ = try await requests.next() }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            #expect(await call.status().code == .deadlineExceeded)
            while accounts.total[.calls] > 0 { await Task.yield() }
            let answer = try await harness.channel.unary(Methods.echo, MessageBytes(text: "a"))
            #expect(try answer.text == "a")
        }
        #expect(accounts.total.isZero)
    }

    @Test("a message that goes on arriving has no longer than one that does not come")
    func tricklingMessage() async throws {
        let accounts = bounded(.calls, 1)
        let settings = Settings(server: {
            $0.admit = Admission.everybody(accounts)
            $0.firstMessageTimeout = .seconds(2)
        })
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            let client = try RawClient(harness.folder["s"])
            client.send(RawClient.greeting)
            client.send(RawClient.headers(Methods.echo.path, stream: 1))
            client.send(RawClient.data(stream: 1, claimed: 1 << 20, [1], ending: false))
            while accounts.total[.calls] == 0 { await Task.yield() }
            // A byte now and then, for as long as the call is there.
            while accounts.total[.calls] > 0 {
                client.send(RawClient.frame(type: 0, flags: 0, stream: 1, [1]))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(accounts.total.isZero)
    }

    @Test("a call that waits for its first message does not hold up a shutdown")
    func halfOpenCallAtShutdown() async throws {
        let arrived = Signal()
        let watch: ServerInterceptor = { _, _, next in
            arrived.raise()
            try await next()
        }
        let settings = Settings(
            interceptors: [watch], server: { $0.firstMessageTimeout = .seconds(3600) })
        try await Harness.run(settings) {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            let call = try harness.channel.stream(
                MethodDescriptor(rawPath: Methods.echo.path, shape: .bidirectional))
            await arrived.wait()
            harness.server.beginGracefulShutdown()
            await harness.server.stopped()
            #expect(await call.status().code == .unavailable)
        }
    }

    @Test("a stream on which nothing moves is ended, one that moves is not")
    func idleStream() async throws {
        // Long enough for the busy stream's next message on a busy machine.
        let settings = Settings(server: { $0.idleTimeout = .seconds(15) })
        try await Harness.run(settings) {
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            let idle = try harness.channel.stream(Methods.chat)
            let busy = try harness.channel.stream(Methods.chat)
            try await idle.write(MessageBytes(text: "a"))
            _ = try await idle.next()
            let ended = Task { await idle.status().code }
            let isOver = Guarded(false)
            Task {
                _ = await ended.value
                isOver.withLock { $0 = true }
            }
            while !isOver.withLock({ $0 }) {
                try await busy.write(MessageBytes(text: "b"))
                _ = try await busy.next()
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(await ended.value == .deadlineExceeded)
            try await busy.write(MessageBytes(text: "c"))
            #expect(try await busy.next()?.text == "c")
            try await busy.finishWriting()
        }
    }

    @Test("a message is charged until its call ends, and refused where there is no room for it")
    func bytesInFlight() async throws {
        let accounts = bounded(.bytes, 5000)
        let started = Signal()
        let go = Signal()
        try await Harness.run(Settings(server: { $0.admit = Admission.everybody(accounts) })) {
            try $0.unary(Methods.echo) { request, _ in
                started.raise()
                if request.count == 2000 { await go.wait() }
                return MessageBytes()
            }
        } test: { harness in
            let channel = harness.channel
            let first = Task {
                try await channel.unary(Methods.echo, MessageBytes(patternOf: 2000))
            }
            await started.wait()
            // The bytes, and as many for the message that they are decoded to.
            #expect(accounts.total[.bytes] == 4000)
            let refused = await status {
                try await channel.unary(Methods.echo, MessageBytes(patternOf: 600))
            }
            #expect(refused?.code == .resourceExhausted)
            go.raise()
            _ = try await first.value
            while accounts.total[.bytes] > 0 { await Task.yield() }
            _ = try await channel.unary(Methods.echo, MessageBytes(patternOf: 2500))
        }
        #expect(accounts.total.isZero)
    }

    @Test("calls whose identity is taken back are ended, others go on")
    func revoked() async throws {
        let revoked = Guarded<String?>(nil)
        let identify: @Sendable (ServerRequest) throws(RPCError) -> Identity = {
            (request) throws(RPCError) in
            let name = request.metadata["x-name"] ?? ""
            guard name != revoked.withLock({ $0 }) else {
                throw RPCError(.unauthenticated, "unknown")
            }
            return .token(name)
        }
        let accounts = Accounts()
        let settings = Settings(server: {
            $0.admit = { (request) throws(RPCError) in
                let identity = try identify(request)
                let account = accounts.account(of: Caller(identity))
                return Admission(
                    identity: identity, account: account, call: account.note(.calls, 1))
            }
        })
        try await Harness.run(settings) {
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            func open(_ name: String) async throws -> StreamingCall<MessageBytes, MessageBytes> {
                var options = CallOptions()
                try options.metadata.add("x-name", name)
                let call = try harness.channel.stream(Methods.chat, options: options)
                try await call.write(MessageBytes(text: name))
                _ = try await call.next()
                return call
            }
            let (alice, bob) = (try await open("alice"), try await open("bob"))
            revoked.withLock { $0 = "alice" }
            harness.server.revoke(identify)
            #expect(await alice.status().code == .unauthenticated)
            try await bob.write(MessageBytes(text: "still"))
            #expect(try await bob.next()?.text == "still")
            try await bob.finishWriting()
        }
    }

    @Test("large messages that take long to decode do not hold up the calls of others")
    func decodingElsewhere() async throws {
        let go = DispatchSemaphore(value: 0)
        let decoding = Guarded(0)
        let slow = MethodDescriptor<MessageBytes, MessageBytes>(
            path: "/test.Service/Slow", shape: .unary, encodeRequest: { $0 },
            decodeRequest: { bytes in
                decoding.withLock { $0 += 1 }
                go.wait()
                return bytes
            }, encodeResponse: { $0 }, decodeResponse: { $0 })
        let count = 12
        try await Harness.run {
            try $0.unary(slow) { _, _ in MessageBytes() }
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            let channel = harness.channel
            let large = (0..<count).map { _ in
                Task {
                    try await channel.unary(
                        MethodDescriptor(rawPath: slow.path, shape: .unary),
                        MessageBytes(patternOf: 100_000))
                }
            }
            while decoding.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(1)) }
            let answer = try await channel.unary(Methods.echo, MessageBytes(text: "a"))
            #expect(try answer.text == "a")
            for _ in 0..<count { go.signal() }
            for task in large { _ = try await task.value }
        }
    }
}

/// Names in the order in which they were noted.
private final class Order: Sendable {
    private let state = Guarded<[String]>([])

    var names: [String] { state.withLock { $0 } }

    func note(_ name: String) { state.withLock { $0.append(name) } }
}

@Suite("Workers", .timeLimit(.minutes(10)))
struct WorkersTests {
    private let alice = Caller.identity("alice")
    private let bob = Caller.identity("bob")

    @Test("callers take turns, whoever asked for more first")
    func turns() async throws {
        let workers = Workers(threads: 1)
        let (go, order, begun) = (DispatchSemaphore(value: 0), Order(), Signal())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [alice] in
                try await workers.run(for: alice) {
                    begun.raise()
                    go.wait()
                }
            }
            await begun.wait()
            let all = [(alice, "alice"), (alice, "alice"), (alice, "alice"), (bob, "bob")]
            for (number, (caller, name)) in all.enumerated() {
                group.addTask {
                    try await workers.run(for: caller) { order.note(name) }
                }
                while workers.waiting <= number { await Task.yield() }
            }
            go.signal()
            try await group.waitForAll()
        }
        #expect(order.names == ["alice", "bob", "alice", "alice"])
    }

    @Test("what is thrown reaches the caller; cancelled work is left undone")
    func failures() async throws {
        let workers = Workers(threads: 2)
        struct Problem: Error {}
        await #expect(throws: Problem.self) {
            try await workers.run(for: alice) { throw Problem() }
        }
        let task = Task { [alice] in
            while !Task.isCancelled { await Task.yield() }
            return try await workers.run(for: alice) { 1 }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(try await workers.run(for: alice) { 2 } == 2)
    }
}
