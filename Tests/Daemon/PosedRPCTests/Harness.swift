import Foundation
import PosedGuarded
import PosedRPC
import Testing

/// A folder that goes when the test is over.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        // Short, as the path of a socket has 107 bytes at most.
        path = "/tmp/posed-rpc-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    subscript(name: String) -> String { path + "/" + name }
}

/// What a test wants otherwise than usual.
struct Settings {
    var interceptors: [ServerInterceptor] = []
    var server: (inout ServerConfiguration) -> Void = { _ in }
    var channel: (inout ChannelConfiguration) -> Void = { _ in }
}

/// A server on a Unix socket of its own and a channel to it; everything is counted in one objectCounts.
final class Harness: Sendable {
    let objectCounts: ObjectCounts
    let folder: TemporaryFolder
    let server: Server
    let channel: Channel
    let events: EventLog

    /// Starts the server, and makes the channel.
    init(
        _ settings: Settings = Settings(), serving register: (inout Router) throws -> Void
    ) throws {
        let objectCounts = ObjectCounts()
        let folder = try TemporaryFolder()
        let events = EventLog()
        var configuration = ServerConfiguration(
            endpoints: [.unix(path: folder["s"], mode: 0o600)])
        configuration.objectCounts = objectCounts
        configuration.onEvent = { events.note($0) }
        settings.server(&configuration)
        var router = Router()
        try register(&router)
        server = Server(
            configuration: configuration, router: router, interceptors: settings.interceptors)
        try server.start()
        var target = ChannelConfiguration(target: .unix(path: folder["s"]))
        target.objectCounts = objectCounts
        settings.channel(&target)
        channel = try Channel(target)
        self.objectCounts = objectCounts
        self.folder = folder
        self.events = events
    }

    /// The port of the first TCP endpoint.
    var port: Int {
        get throws {
            try #require(
                server.boundEndpoints.lazy.compactMap { endpoint in
                    if case .tcp(_, let port) = endpoint { port } else { nil }
                }.first)
        }
    }

    /// Runs `body`, then shuts everything down and waits until the objectCounts reads zero.
    static func run(
        _ settings: Settings = Settings(), serving register: (inout Router) throws -> Void,
        test body: (Harness) async throws -> Void
    ) async throws {
        let objectCounts: ObjectCounts
        do {
            let harness = try Harness(settings, serving: register)
            objectCounts = harness.objectCounts
            do {
                try await body(harness)
            } catch {
                harness.server.cancelAll()
                await harness.server.stopped()
                throw error
            }
            harness.channel.close()
            harness.server.beginGracefulShutdown()
            await harness.server.stopped()
        }
        await objectCounts.settled()
        #expect(objectCounts.snapshot().isEmpty)
    }
}

/// What a server told of itself, to be waited for.
final class EventLog: Sendable {
    private struct State {
        var events: [ServerEvent] = []
        var waiting: [(test: @Sendable (ServerEvent) -> Bool, CheckedContinuation<Void, Never>)] =
            []
    }

    private let state = Guarded(State())

    var all: [ServerEvent] { state.withLock { $0.events } }

    func note(_ event: ServerEvent) {
        let ready = state.withLock { state in
            state.events.append(event)
            let ready = state.waiting.filter { $0.test(event) }.map { $0.1 }
            state.waiting.removeAll { $0.test(event) }
            return ready
        }
        for continuation in ready { continuation.resume() }
    }

    /// Returns when an event that passes `test` has come, now or earlier.
    func first(where test: @escaping @Sendable (ServerEvent) -> Bool) async {
        await withCheckedContinuation { continuation in
            let here = state.withLock { state in
                if state.events.contains(where: test) { return true }
                state.waiting.append((test, continuation))
                return false
            }
            if here { continuation.resume() }
        }
    }
}

/// A signal between tasks: raised once, waited for by any number.
typealias Signal = OneShot<Bool>

extension OneShot where Value == Bool {
    func raise() { fulfil(true) }
    func wait() async { _ = await value() }
}

/// Methods of plain bytes.
enum Methods {
    static let echo = MethodDescriptor(rawPath: "/test.Service/Echo", shape: .unary)
    static let collect = MethodDescriptor(rawPath: "/test.Service/Collect", shape: .clientStreaming)
    static let count = MethodDescriptor(rawPath: "/test.Service/Count", shape: .serverStreaming)
    static let chat = MethodDescriptor(rawPath: "/test.Service/Chat", shape: .bidirectional)
    static let text = MethodDescriptor<String, String>(
        path: "/test.Service/Text", shape: .unary,
        encodeRequest: { MessageBytes($0.utf8) }, decodeRequest: { try $0.text },
        encodeResponse: { MessageBytes($0.utf8) }, decodeResponse: { try $0.text })
}

/// Bytes that were to be text and are not.
struct NotText: Error {}

extension MessageBytes {
    init(text: String) { self.init(text.utf8) }

    /// `count` bytes of which no two neighbours are equal.
    init(patternOf count: Int) {
        self.init(count: count) { bytes in
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
        }
    }

    var text: String {
        get throws {
            guard let text = String(validating: array, as: UTF8.self) else { throw NotText() }
            return text
        }
    }
}

/// The status with which `body` fails.
func status(
    of body: () async throws -> some Any, sourceLocation: SourceLocation = #_sourceLocation
) async -> RPCError? {
    do {
        _ = try await body()
        Issue.record("a failure was expected", sourceLocation: sourceLocation)
        return nil
    } catch let error as RPCError {
        return error
    } catch {
        Issue.record("a status was expected, not \(error)", sourceLocation: sourceLocation)
        return nil
    }
}
