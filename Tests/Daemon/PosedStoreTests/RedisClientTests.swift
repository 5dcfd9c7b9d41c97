import Foundation
import NIOCore
import PosedGuarded
import PosedSessions
import PosedStore
import Testing

@Suite struct RedisClientTests {
    /// A client of a server, whose calls wait long enough for a busy machine.
    private func client(
        _ server: FakeServer, _ change: (inout RedisClient.Configuration) -> Void = { _ in }
    ) throws -> RedisClient {
        var configuration = RedisClient.Configuration(
            try #require(server.address), timeout: .seconds(60))
        configuration.pause = .milliseconds(5)
        change(&configuration)
        return RedisClient(configuration)
    }

    private func bytes(_ words: String...) -> [[UInt8]] { words.map { Array($0.utf8) } }

    /// The kind of failure that a call meets.
    private func code(
        _ body: () async throws(StorageError) -> Void
    ) async -> StorageError.Code? {
        do throws(StorageError) {
            try await body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func answersComeInTheOrderOfTheCalls() async throws {
        let server = FakeServer()
        try await server.start()
        server.react { .answer("$\($0[0].utf8.count)\r\n\($0[0])\r\n") }
        let client = try client(server)
        let answers = try await withThrowingTaskGroup(of: (String, String?).self) { group in
            for number in 0..<50 {
                group.addTask {
                    let word = "N\(number)"
                    return (word, try await client.call([Array(word.utf8)]).text)
                }
            }
            return try await group.reduce(into: [(String, String?)]()) { $0.append($1) }
        }
        #expect(answers.count == 50)
        #expect(answers.allSatisfy { $0.0 == $0.1 })
        await client.shutDown()
    }

    @Test func itSaysWhoItIsOnEachConnection() async throws {
        let server = FakeServer()
        try await server.start()
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data("posed secret\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let port = try #require(server.address).port
        let client = try client(server) {
            $0.address = RedisAddress("redis://127.0.0.1:\(port)/3") ?? $0.address
            $0.credentialsFile = file.path
        }
        _ = try await client.call(bytes("GET", "a"))
        #expect(
            server.seen == [
                ["AUTH", "posed", "secret"], ["SELECT", "3"], ["PING"], ["GET", "a"],
            ])
        await client.shutDown()
    }

    @Test func aWrongPasswordIsUnreachable() async throws {
        let server = FakeServer()
        try await server.start()
        server.react { $0[0] == "AUTH" ? .answer("-WRONGPASS no\r\n") : .answer("+OK\r\n") }
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data("wrong".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let client = try client(server) { $0.credentialsFile = file.path }
        #expect(
            await code { () throws(StorageError) in _ = try await client.call(bytes("GET", "a")) }
                == .unreachable)
        await client.shutDown()
    }

    @Test(arguments: [
        ("OOM command not allowed", StorageError.Code.diskFull),
        ("READONLY You can't write against a read only replica.", .readOnly),
        ("LOADING Redis is loading", .unreachable), ("ERR unknown", .unwritable),
    ])
    func refusalsHaveTheirKinds(_ text: String, _ kind: StorageError.Code) async throws {
        let server = FakeServer()
        try await server.start()
        server.react { $0[0] == "PING" ? .answer("+PONG\r\n") : .answer("-\(text)\r\n") }
        let client = try client(server)
        #expect(
            await code { () throws(StorageError) in _ = try await client.call(bytes("SET", "a")) }
                == kind)
        // The connection is good all the same.
        server.react { _ in .answer("+OK\r\n") }
        #expect(try await client.call(bytes("SET", "a")) == .status("OK"))
        await client.shutDown()
    }

    @Test func aSilentServerCostsTheConnectionAndNoMoreThanTheTimeLimit() async throws {
        let server = FakeServer()
        try await server.start()
        server.react { $0[0] == "PING" ? .answer("+PONG\r\n") : .wait }
        let client = try client(server) { $0.timeout = .milliseconds(200) }
        #expect(
            await code { () throws(StorageError) in _ = try await client.call(bytes("GET", "a")) }
                == .unreachable)
        await client.shutDown()
    }

    @Test func itComesBackByItself() async throws {
        let server = FakeServer()
        try await server.start()
        let client = try client(server)
        let (changes, change) = AsyncStream.makeStream(of: Bool.self)
        client.start { change.yield($0 == nil) }
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() == true)
        try await server.stop()
        server.react { _ in .hangUp }
        #expect(
            await code { () throws(StorageError) in _ = try await client.call(bytes("GET", "a")) }
                == .unreachable)
        #expect(await iterator.next() == false)
        // Nobody waits for a server that is away.
        #expect(
            await code { () throws(StorageError) in _ = try await client.call(bytes("GET", "a")) }
                == .unreachable)
        server.react { _ in .answer("+OK\r\n") }
        try await server.start()
        #expect(await iterator.next() == true)
        #expect(try await client.call(bytes("GET", "a")) == .status("OK"))
        await client.shutDown()
    }

    @Test func whatIsNoRESPCostsTheConnection() async throws {
        let server = FakeServer()
        try await server.start()
        server.react { _ in .answer("HTTP/1.1 400 Bad Request\r\n\r\n") }
        let client = try client(server)
        #expect(
            await code { () throws(StorageError) in _ = try await client.call(bytes("GET", "a")) }
                == .unreachable)
        await client.shutDown()
    }

    @Test func valuesAreReadHoweverTheyArrive() throws {
        let text = "*4\r\n$3\r\na\r\nb\r\n:-12\r\n*-1\r\n$-1\r\n+OK\r\n-ERR no\r\n$0\r\n\r\n"
        // The byte string has a line's end inside: its length counts.
        let bytes = Array(text.replacing("$3\r\na\r\nb", with: "$4\r\na\r\nb").utf8)
        let expected: [RedisValue] = [
            .array([.bytes(Array("a\r\nb".utf8)), .integer(-12), .array(nil), .bytes(nil)]),
            .status("OK"), .error("ERR no"), .bytes([]),
        ]
        for size in 1...bytes.count {
            var buffer = ByteBuffer()
            var values: [RedisValue] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                buffer.writeBytes(bytes[start..<min(start + size, bytes.count)])
                while let value = try RedisDecoder.value(&buffer) { values.append(value) }
            }
            #expect(values == expected)
            #expect(buffer.readableBytes == 0)
        }
    }

    @Test(arguments: [
        "x\r\n", "$-2\r\n", "$99999999999\r\n", "*70000\r\n", ":1x\r\n", "+OK\n",
        "$1\r\nab\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    ])
    func badValuesAreRefused(_ text: String) {
        #expect(throws: RedisProtocolError.self) {
            var buffer = ByteBuffer(string: text)
            _ = try RedisDecoder.value(&buffer)
        }
    }

    @Test func addresses() throws {
        let plain = try #require(RedisAddress("redis://store"))
        #expect((plain.host, plain.port, plain.database) == ("store", 6379, 0))
        let full = try #require(RedisAddress("redis://[::1]:7000/2"))
        #expect((full.host, full.port, full.database) == ("::1", 7000, 2))
        #expect(full.description == "redis://[::1]:7000/2")
        for text in [
            "", "store:6379", "rediss://store", "http://store", "redis://",
            "redis://user:word@store",
            "redis://store:0", "redis://store:70000", "redis://store/x", "redis://a b",
        ] { #expect(RedisAddress(text) == nil) }
    }

    @Test func credentials() {
        #expect(RedisCredentials("word\n")?.user == nil)
        #expect(RedisCredentials("word\n")?.password == "word")
        #expect(RedisCredentials("me word")?.user == "me")
        for text in ["", "\n", "a b c", "a\nb"] { #expect(RedisCredentials(text) == nil) }
    }
}
