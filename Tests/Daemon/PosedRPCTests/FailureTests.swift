import PosedGuarded
import PosedRPC
import Testing

@Suite("Failures and interceptors", .timeLimit(.minutes(10)))
struct FailureTests {
    private struct Secret: Error, CustomStringConvertible {
        let description = "the password is hunter2"
    }

    @Test("what a handler throws becomes the status, with its metadata")
    func thrown() async throws {
        try await Harness.run {
            try $0.unary(Methods.text) { request, _ in
                guard let code = Int32(request) else { throw Secret() }
                var error = RPCError(StatusCode(rawValue: code), "wörds of \(code)")
                try error.metadata.add("x-more", "details")
                throw error
            }
        } test: { harness in
            for code in StatusCode.all where code != .ok {
                let error = await status {
                    try await harness.channel.unary(Methods.text, "\(code.rawValue)")
                }
                #expect(error?.code == code)
                #expect(error?.message == "wörds of \(code.rawValue)")
                #expect(error?.metadata["x-more"] == "details")
                #expect(error?.metadata[ServerRequest.idKey]?.isEmpty == false)
            }
            // A thrown success would make the client wait for a message that never comes.
            let odd = await status { try await harness.channel.unary(Methods.text, "0") }
            #expect(odd?.code == .internal)
            let secret = await status { try await harness.channel.unary(Methods.text, "no") }
            #expect(secret?.code == .internal)
            #expect(secret?.message.contains("hunter2") == false)
        }
    }

    @Test("very long messages arrive shortened")
    func longMessage() async throws {
        try await Harness.run {
            try $0.unary(Methods.text) { _, _ in
                throw RPCError(.aborted, String(repeating: "ü", count: 100_000))
            }
        } test: { harness in
            let error = await status { try await harness.channel.unary(Methods.text, "") }
            #expect(error?.code == .aborted)
            #expect(error?.message.hasSuffix("ü…") == true)
        }
    }

    @Test("an unknown method is unimplemented, and interceptors see it")
    func unknown() async throws {
        let seen = Guarded<[String]>([])
        let watch: ServerInterceptor = { request, _, next in
            seen.withLock { $0.append(request.method) }
            try await next()
        }
        try await Harness.run(Settings(interceptors: [watch])) { _ in
        } test: { harness in
            let error = await status { try await harness.channel.unary(Methods.text, "") }
            #expect(error?.code == .unimplemented)
            #expect(seen.withLock { $0 } == [Methods.text.path])
        }
    }

    @Test("bytes that are no message are an invalid argument; a reply's are internal")
    func codecs() async throws {
        let bytes = MethodDescriptor(rawPath: Methods.text.path, shape: .unary)
        try await Harness.run {
            try $0.unary(bytes) { request, _ in request }
        } test: { harness in
            let text = Methods.text
            let wrong = MethodDescriptor<String, String>(
                path: text.path, shape: .unary, encodeRequest: { _ in MessageBytes([0xFF]) },
                decodeRequest: text.decodeRequest, encodeResponse: text.encodeResponse,
                decodeResponse: text.decodeResponse)
            let reply = await status { try await harness.channel.unary(wrong, "") }
            #expect(reply?.code == .internal)
        }
        try await Harness.run {
            try $0.unary(Methods.text) { request, _ in request }
        } test: { harness in
            let request = await status {
                try await harness.channel.unary(bytes, MessageBytes([0xFF]))
            }
            #expect(request?.code == .invalidArgument)
        }
    }

    @Test("a stream goes on after a message that is none")
    func badMessageInStream() async throws {
        let text = MethodDescriptor<String, MessageBytes>(
            path: Methods.chat.path, shape: .bidirectional,
            encodeRequest: { MessageBytes($0.utf8) }, decodeRequest: { try $0.text },
            encodeResponse: { $0 }, decodeResponse: { $0 })
        try await Harness.run {
            try $0.bidirectional(text) { requests, writer, _ in
                while true {
                    do {
                        guard let request = try await requests.next() else { return }
                        try await writer.write(MessageBytes(text: request))
                    } catch let error as RPCError {
                        try await writer.write(MessageBytes(text: error.code.name))
                    }
                }
            }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            for (sent, expected) in [([104], "h"), ([0xFF], "INVALID_ARGUMENT"), ([105], "i")] {
                try await call.write(MessageBytes(sent.map { UInt8($0) }))
                let answer = try await call.next()
                #expect(try answer?.text == expected)
            }
            try await call.finishWriting()
            let end = try await call.next()
            #expect(end == nil)
        }
    }

    @Test("the first interceptor is the outermost; each sees what the next threw")
    func order() async throws {
        let steps = Guarded<[String]>([])
        func interceptor(_ name: String) -> ServerInterceptor {
            { _, context, next in
                steps.withLock { $0.append("\(name) in") }
                do {
                    try await next()
                    steps.withLock { $0.append("\(name) out") }
                } catch {
                    let code = RPCError(error, in: context).code
                    steps.withLock { $0.append("\(name) \(code.name)") }
                    throw error
                }
            }
        }
        let settings = Settings(interceptors: [interceptor("a"), interceptor("b")])
        try await Harness.run(settings) {
            try $0.unary(Methods.text) { request, _ in
                if request == "fail" { throw RPCError(.notFound, "no") }
                return request
            }
        } test: { harness in
            _ = try await harness.channel.unary(Methods.text, "")
            _ = await status { try await harness.channel.unary(Methods.text, "fail") }
        }
        #expect(
            steps.withLock { $0 } == [
                "a in", "b in", "b out", "a out", "a in", "b in", "b NOT_FOUND", "a NOT_FOUND",
            ])
    }

    @Test("an interceptor can turn a call away before its message is read")
    func turnedAway() async throws {
        let refuse: ServerInterceptor = { _, _, _ in throw RPCError(.permissionDenied, "no") }
        try await Harness.run(Settings(interceptors: [refuse])) {
            try $0.bidirectional(Methods.chat) { _, _, _ in Issue.record("served") }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            let status = await call.status()
            #expect(status.code == .permissionDenied)
            await #expect(throws: RPCError.self) { try await call.next() }
        }
    }

    @Test("a method has one handler of its own shape")
    func registration() throws {
        var router = Router()
        try router.unary(Methods.text) { request, _ in request }
        #expect(throws: RPCError.self) { try router.unary(Methods.text) { request, _ in request } }
        #expect(throws: RPCError.self) { try router.unary(Methods.chat) { request, _ in request } }
        #expect(router.methods == [Methods.text.path])
    }

    @Test("nobody listening is unavailable, and a deadline ends the wait for a server")
    func nobodyThere() async throws {
        let objectCounts = ObjectCounts()
        do {
            var configuration = ChannelConfiguration(target: .unix(path: "/tmp/posed-nobody"))
            configuration.objectCounts = objectCounts
            let channel = try Channel(configuration)
            let error = await status { try await channel.unary(Methods.text, "") }
            #expect(error?.code == .unavailable)
            let options = CallOptions(timeout: .milliseconds(50), waitForReady: true)
            let late = await status { try await channel.unary(Methods.text, "", options: options) }
            #expect(late?.code == .deadlineExceeded)
            #expect(await channel.ready(within: .milliseconds(20)) == false)
            channel.close()
            let closed = await status { try await channel.unary(Methods.text, "") }
            #expect(closed?.code == .unavailable)
            #expect(channel.connectivity() == .shutdown)
        }
        await objectCounts.settled()
    }

    @Test("two tasks that read one stream are told so")
    func twoReaders() async throws {
        try await Harness.run {
            try $0.bidirectional(Methods.chat) { requests, _, _ in
                while try await requests.next() != nil {}
            }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            async let first = call.next()
            async let second = call.next()
            // One of them waits; the other fails, which lets the client end the call.
            try await call.finishWriting()
            var failures = 0
            do { _ = try await first } catch { failures += 1 }
            do { _ = try await second } catch { failures += 1 }
            #expect(failures <= 1)
        }
    }
}
