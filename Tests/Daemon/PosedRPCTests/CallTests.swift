import Glibc
import PosedRPC
import Testing

@Suite("Calls of all shapes", .timeLimit(.minutes(10)))
struct CallTests {
    @Test("a unary call brings bytes there and back")
    func unary() async throws {
        try await Harness.run {
            try $0.unary(Methods.echo) { request, _ in request }
        } test: { harness in
            for size in [0, 1, 5, 16_384, 196_608, 3_000_001] {
                let bytes = MessageBytes(patternOf: size)
                let answer = try await harness.channel.unary(Methods.echo, bytes)
                #expect(answer == bytes)
            }
        }
    }

    @Test("a client's stream is read in order to its end")
    func clientStreaming() async throws {
        try await Harness.run {
            try $0.clientStreaming(Methods.collect) { requests, _ in
                var all: [UInt8] = []
                for try await request in requests { all += request.array }
                return MessageBytes(all)
            }
        } test: { harness in
            let requests = AsyncStream { continuation in
                for value in 0..<100 { continuation.yield(MessageBytes([UInt8(value)])) }
                continuation.finish()
            }
            let answer = try await harness.channel.clientStreaming(Methods.collect, requests)
            #expect(answer.array == (0..<100).map { UInt8($0) })
        }
    }

    @Test("a server's stream is read in order to its end")
    func serverStreaming() async throws {
        try await Harness.run {
            try $0.serverStreaming(Methods.count) { request, writer, _ in
                for value in request.array { try await writer.write(MessageBytes([value])) }
            }
        } test: { harness in
            let wanted = MessageBytes((0..<100).map { UInt8($0) })
            let call = try await harness.channel.serverStreaming(Methods.count, wanted)
            var all: [UInt8] = []
            for try await message in call { all += message.array }
            #expect(all == wanted.array)
            #expect(await call.status().code == .ok)
        }
    }

    @Test("both sides of a bidirectional stream flow at the same time")
    func bidirectional() async throws {
        try await Harness.run {
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            for round in 0..<50 {
                let message = MessageBytes(text: "round \(round)")
                try await call.write(message)
                #expect(try await call.next() == message)
            }
            try await call.finishWriting()
            #expect(try await call.next() == nil)
            #expect(await call.status().code == .ok)
        }
    }

    @Test("a stream may end without any message")
    func emptyStreams() async throws {
        try await Harness.run {
            try $0.bidirectional(Methods.chat) { requests, _, _ in
                for _ in 0..<2 {
                    let request = try await requests.next()
                    #expect(request == nil)
                }
            }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            try await call.finishWriting()
            #expect(try await call.next() == nil)
            #expect(try await call.next() == nil)
        }
    }

    @Test("a server may answer a stream without reading it all")
    func earlyAnswer() async throws {
        try await Harness.run {
            try $0.clientStreaming(Methods.collect) { requests, _ in
                try await requests.next() ?? MessageBytes()
            }
        } test: { harness in
            let endless = AsyncStream<MessageBytes> { MessageBytes(repeating: 7, count: 1 << 18) }
            let answer = try await harness.channel.clientStreaming(Methods.collect, endless)
            #expect(answer == MessageBytes(repeating: 7, count: 1 << 18))
        }
    }

    @Test("what a client's stream throws ends the call and reaches the caller")
    func brokenSource() async throws {
        let reason = OneShot<CancellationReason>()
        try await Harness.run {
            try $0.clientStreaming(Methods.collect) { requests, context in
                context.onCancel { reason.fulfil($0) }
                while try await requests.next() != nil {}
                return MessageBytes()
            }
        } test: { harness in
            let source = AsyncThrowingStream<MessageBytes, any Error> { continuation in
                continuation.yield(MessageBytes())
                continuation.finish(throwing: NotText())
            }
            await #expect(throws: NotText.self) {
                try await harness.channel.clientStreaming(Methods.collect, source)
            }
            #expect(await reason.value() == .client)
        }
    }

    @Test("finishing twice is finishing once, and nothing can be written after it")
    func finishTwice() async throws {
        try await Harness.run {
            try $0.bidirectional(Methods.chat) { requests, writer, _ in
                for try await request in requests { try await writer.write(request) }
            }
        } test: { harness in
            let call = try harness.channel.stream(Methods.chat)
            try await call.finishWriting()
            try await call.finishWriting()
            let late = await status { try await call.write(MessageBytes()) }
            #expect(late?.code == .aborted)
            let end = try await call.next()
            #expect(end == nil)
        }
    }

    @Test("many calls at a time do not mix")
    func concurrency() async throws {
        try await Harness.run(Settings(server: { $0.queues = 2 })) {
            try $0.unary(Methods.text) { request, _ in request + "!" }
        } test: { harness in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let answer = try await harness.channel.unary(Methods.text, "\(number)")
                        #expect(answer == "\(number)!")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("metadata goes both ways, repeated keys and bytes included")
    func metadata() async throws {
        try await Harness.run {
            try $0.unary(Methods.text) { _, context in
                let given = context.request.metadata
                try context.updateInitialMetadata { metadata throws(RPCError) in
                    for text in given.texts("x-word") { try metadata.add("x-word", text) }
                }
                try context.updateTrailingMetadata { metadata throws(RPCError) in
                    try metadata.add("x-blob-bin", bytes: given.bytes("x-blob-bin") ?? [])
                }
                return context.request.id
            }
        } test: { harness in
            var options = CallOptions()
            try options.metadata.add("x-word", "one")
            try options.metadata.add("X-Word", "two")
            try options.metadata.add("x-blob-bin", bytes: [0, 255, 10])
            try options.metadata.add(ServerRequest.idKey, "my-id")
            let answer = try await harness.channel.unaryResponse(
                Methods.text, "", options: options)
            #expect(answer.message == "my-id")
            #expect(answer.initialMetadata.texts("x-word") == ["one", "two"])
            #expect(answer.trailingMetadata.bytes("x-blob-bin") == [0, 255, 10])
            #expect(answer.trailingMetadata[ServerRequest.idKey] == "my-id")
        }
    }

    @Test("the kernel's credentials tell who calls over a Unix socket")
    func peer() async throws {
        try await Harness.run {
            try $0.unary(Methods.text) { _, context in
                guard case .unix(let user, let group, let process) = context.request.peer.address
                else { return "?" }
                return "\(user) \(group) \(process)"
            }
        } test: { harness in
            let answer = try await harness.channel.unary(Methods.text, "")
            #expect(answer == "\(getuid()) \(getgid()) \(getpid())")
        }
    }
}
