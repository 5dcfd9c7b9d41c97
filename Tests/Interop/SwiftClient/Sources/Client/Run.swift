import Foundation
import GRPCCore
import Messages
import SwiftProtobuf

/// One run through the protocol.
struct Run: Sendable {
    let client: GRPCClient<Client.Transport>
    let source: Data
    let pose: Data

    func all() async throws {
        try await unary()
        let session = try await session()
        try await synthesize(session)
        try await stream(session)
        try await health()
        try await errors(session)
        try await cancellation(session)
        var delete = Posed_V1_DeleteSessionRequest()
        delete.name = session
        let _: Google_Protobuf_Empty = try await client.call(
            "posed.v1.SessionService/DeleteSession", delete, session: session)
        print("all calls are as they should be")
    }

    private func expect(_ holds: Bool, _ what: String) throws {
        guard holds else { throw Client.Failure(description: what) }
        print("ok: \(what)")
    }

    private func unary() async throws {
        let info: Posed_V1_ServerInfo = try await client.call(
            "posed.v1.ServerService/GetServerInfo", Posed_V1_GetServerInfoRequest())
        try expect(info.identity.hasPrefix("unix:"), "the daemon knows who calls")
        let models: Posed_V1_ListModelsResponse = try await client.call(
            "posed.v1.CatalogService/ListModels", Posed_V1_ListModelsRequest())
        try expect(models.models.contains(where: \.defaultModel), "one model is the default")
    }

    private func session() async throws -> String {
        var request = Posed_V1_CreateSessionRequest()
        request.sources = [.with { $0.png = source }]
        // Chosen beforehand, so that the request which makes the session is routed as all later ones.
        request.sessionID = "swift-client-\(UInt32.random(in: 0...UInt32.max))"
        let name = "sessions/" + request.sessionID
        let session: Posed_V1_Session = try await client.call(
            "posed.v1.SessionService/CreateSession", request, session: name)
        try expect(session.name == name, "a session was made under the name of its client's choice")
        return session.name
    }

    private func synthesize(_ session: String) async throws {
        var request = Posed_V1_SynthesizeRequest()
        request.session = session
        request.pose.file = pose
        request.settings.nfe = 2
        request.settings.imageFormat = .rawRgb8
        let response: Posed_V1_SynthesizeResponse = try await client.call(
            "posed.v1.SynthesisService/Synthesize", request, session: session)
        let raw = response.frame.image.raw
        try expect(
            raw.rgb.count == Int(raw.width) * Int(raw.height) * 3 && raw.width > 0,
            "a frame came as raw pixels")
    }

    private func stream(_ session: String) async throws {
        typealias Request = Posed_V1_StreamSynthesizeRequest
        typealias Response = Posed_V1_StreamSynthesizeResponse
        let pose = pose
        let requests = StreamingClientRequest<Request>(metadata: routing(session)) { writer in
            try await writer.write(
                .with {
                    $0.start.session = session
                    $0.start.settings.nfe = 2
                })
            for sequence: UInt64 in [1, 2, 2, 3] {
                try await writer.write(
                    .with {
                        $0.pose.sequence = sequence
                        $0.pose.pose.file = pose
                    })
            }
        }
        let answers = try await client.bidirectionalStreaming(
            request: requests, descriptor: method("posed.v1.SynthesisService/StreamSynthesize"),
            serializer: Coder<Request>(), deserializer: Coder<Response>(), options: .defaults
        ) { response in
            var answers: [Response] = []
            for try await answer in response.messages { answers.append(answer) }
            return answers
        }
        try expect(answers.map(\.sequence) == [0, 1, 2, 2, 3], "every pose has its answer")
        try expect(answers.map(\.error.code) == [0, 0, 0, 3, 0], "a bad pose is its own error")
        try expect(answers[4].frame.image.png.starts(with: [0x89, 0x50]), "frames are pictures")
    }

    private func health() async throws {
        typealias Request = Grpc_Health_V1_HealthCheckRequest
        typealias Response = Grpc_Health_V1_HealthCheckResponse
        let first = try await client.serverStreaming(
            request: ClientRequest(message: Request()),
            descriptor: method("grpc.health.v1.Health/Watch"),
            serializer: Coder<Request>(), deserializer: Coder<Response>(), options: .defaults
        ) { response -> Response.ServingStatus? in
            for try await message in response.messages { return message.status }
            return nil
        }
        try expect(first == .serving, "the daemon serves")
    }

    private func errors(_ session: String) async throws {
        var get = Posed_V1_GetSessionRequest()
        get.name = "nonsense"
        let request = get
        try await refused(.invalidArgument, "a malformed name is refused") {
            let _: Posed_V1_Session = try await client.call(
                "posed.v1.SessionService/GetSession", request)
        }
        try await refused(.unimplemented, "an unknown method is refused") {
            let _: Posed_V1_Session = try await client.call(
                "posed.v1.SessionService/Explode", request)
        }
        try await refused(.deadlineExceeded, "a deadline ends the work") {
            let _: Posed_V1_SynthesizeResponse = try await client.call(
                "posed.v1.SynthesisService/Synthesize", long(session), timeout: .milliseconds(300))
        }
    }

    private func cancellation(_ session: String) async throws {
        let request = long(session)
        let before = try await statistics { $0.framesRunning == 0 && $0.framesQueued == 0 }
        let call = Task {
            let _: Posed_V1_SynthesizeResponse = try await client.call(
                "posed.v1.SynthesisService/Synthesize", request)
        }
        _ = try await statistics { $0.framesRunning == 1 && $0.batches >= before.batches + 3 }
        call.cancel()
        _ = await call.result
        let after = try await statistics { $0.framesRunning == 0 && $0.framesQueued == 0 }
        try expect(
            after.framesCancelled == before.framesCancelled + 1
                && after.batches < before.batches + 150,
            "cancelling ends the work (\(after.batches - before.batches) evaluations of 200)")
        // The daemon is free again at once, so the next call is answered.
        try await synthesize(session)
    }

    /// Asks for the statistics until they are as expected, for about a minute.
    private func statistics(
        _ condition: (Posed_V1_Statistics) -> Bool
    ) async throws -> Posed_V1_Statistics {
        for _ in 0..<6000 {
            let now: Posed_V1_Statistics = try await client.call(
                "posed.v1.ServerService/GetStatistics", Posed_V1_GetStatisticsRequest())
            if condition(now) { return now }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Client.Failure(description: "the statistics are not as expected after a minute")
    }

    /// A picture of many evaluations, which take seconds.
    private func long(_ session: String) -> Posed_V1_SynthesizeRequest {
        var request = Posed_V1_SynthesizeRequest()
        request.session = session
        request.pose.file = pose
        request.settings.nfe = 200
        request.settings.width = 384
        request.settings.height = 384
        return request
    }

    private func refused(
        _ code: RPCError.Code, _ what: String, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as RPCError {
            return try expect(error.code == code, "\(what) (\(error.code): \(error.message))")
        }
        throw Client.Failure(description: "\(what): it was not")
    }
}
