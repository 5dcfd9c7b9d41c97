import Foundation
import PosedGuarded
import PosedProtos
import PosedRPC
import SwiftProtobuf

/// A daemon that paints nothing: it keeps sessions and answers poses.
final class FakeDaemon: Sendable {
    struct State {
        var sessions: [String: Posed_V1_Session] = [:]
        var count = 0
        var tokens: [String?] = []
        var starts: [Posed_V1_StreamStart] = []
        var updates: [Posed_V1_UpdateSessionRequest] = []
        var pictures: [Posed_V1_SynthesizeRequest] = []
        var answers = 0
        /// Whether it refuses pictures and streams as one that is not there.
        var isGone = false
    }

    let path: String
    private let state = Guarded(State())

    private init(path: String) { self.path = path }

    /// A socket's path that nobody else has.
    static func newPath() -> String {
        NSTemporaryDirectory() + "posectl-\(UInt64.random(in: 0...UInt64.max)).sock"
    }

    func with<Value>(_ body: (inout sending State) throws -> sending Value) rethrows -> Value {
        try state.withLock { try body(&$0) }
    }

    /// Runs `body` with a daemon that is gone when it returns.
    static func run(
        at path: String = FakeDaemon.newPath(), _ body: (FakeDaemon) async throws -> Void
    ) async throws {
        let daemon = FakeDaemon(path: path)
        var router = Router()
        try daemon.register(in: &router)
        var configuration = ServerConfiguration(endpoints: [.unix(path: daemon.path, mode: 0o600)])
        // Among all other tests a program may take long for its first message.
        configuration.firstMessageTimeout = .seconds(300)
        let server = Server(configuration: configuration, router: router)
        try server.start()
        do {
            try await body(daemon)
        } catch {
            server.cancelAll()
            throw error
        }
        server.beginGracefulShutdown()
        server.cancelAll()
        await server.stopped()
    }

    private func register(in router: inout Router) throws {
        try router.unary(SessionMethods.create) { request, context in
            self.state.withLock { state in
                state.count += 1
                state.tokens.append(context.request.metadata["authorization"])
                var session = Posed_V1_Session()
                session.name = "sessions/\(state.count)"
                session.displayName = request.displayName
                session.defaultSettings = request.defaultSettings
                session.sourceCount = Int32(request.sources.count)
                state.sessions[session.name] = session
                return session
            }
        }
        try router.unary(SessionMethods.delete) { request, _ in
            guard self.state.withLock({ $0.sessions.removeValue(forKey: request.name) }) != nil
            else { throw RPCError(.notFound, "there is no session \(request.name)") }
            return Google_Protobuf_Empty()
        }
        try router.unary(SessionMethods.list) { _, _ in
            var response = Posed_V1_ListSessionsResponse()
            response.sessions = self.state.withLock { Array($0.sessions.values) }
            return response
        }
        try router.unary(SessionMethods.update) { request, _ in
            self.state.withLock { $0.updates.append(request) }
            return request.session
        }
        try router.unary(SynthesisMethods.synthesize) { request, _ in
            try self.refuseIfGone()
            self.state.withLock { $0.pictures.append(request) }
            var response = Posed_V1_SynthesizeResponse()
            response.frame = Self.frame(request.settings)
            return response
        }
        try router.bidirectional(SynthesisMethods.stream) { requests, writer, _ in
            try await self.stream(requests, writer)
        }
        try router.unary(HealthMethods.check) { request, _ in
            var response = Grpc_Health_V1_HealthCheckResponse()
            response.status = request.service == "broken" ? .notServing : .serving
            return response
        }
        try router.serverStreaming(HealthMethods.watch) { _, writer, _ in
            var response = Grpc_Health_V1_HealthCheckResponse()
            response.status = .notServing
            try await writer.write(response)
            response.status = .serving
            try await writer.write(response)
        }
    }

    private func refuseIfGone() throws {
        guard !state.withLock({ $0.isGone }) else { throw RPCError(.unavailable, "not there") }
    }

    /// Pose 3 is superseded and pose 5 fails.
    private func stream(
        _ requests: RequestStream<Posed_V1_StreamSynthesizeRequest>,
        _ writer: ResponseWriter<Posed_V1_StreamSynthesizeResponse>
    ) async throws {
        var settings = Posed_V1_SynthesisSettings()
        while let request = try await requests.next() {
            try refuseIfGone()
            var response = Posed_V1_StreamSynthesizeResponse()
            response.sequence = request.pose.sequence
            switch (request.step, request.pose.sequence) {
            case (.start(let start), _):
                settings = start.settings
                state.withLock { $0.starts.append(start) }
                response.started.settings.seed = 1
            case (_, 3): response.superseded.supersededBy = 4
            case (_, 5):
                response.error.code = 3
                response.error.message = "a bad pose"
            default: response.frame = Self.frame(settings)
            }
            try await writer.write(response)
            if request.pose.sequence > 0 { state.withLock { $0.answers += 1 } }
        }
    }

    /// A frame of one red pixel.
    static func frame(_ settings: Posed_V1_SynthesisSettings) -> Posed_V1_Frame {
        var frame = Posed_V1_Frame()
        frame.image.raw.width = 1
        frame.image.raw.height = 1
        frame.image.raw.rgb = Data([255, 0, 0])
        frame.used.seed = settings.seed
        frame.used.nfe = 4
        frame.timings.total = Google_Protobuf_Duration(nanos: 1_000_000)
        return frame
    }
}
