import Foundation
import PosedErrors
import PosedProtos
import PosedRPC
import PosedServing
import PosedVision
import SwiftProtobuf
import Testing

import PosedService

/// The services as clients see them, through a socket.
@Suite(.timeLimit(.minutes(10))) struct ServicesTests {
    private func createSession(_ wire: Wire, as name: String? = nil) async throws -> String {
        var request = Posed_V1_CreateSessionRequest()
        request.sources = [try Pictures.png()]
        return try await wire.channel.unary(
            SessionMethods.create, request, options: try options(name)
        ).name
    }

    private func options(_ name: String?) throws -> CallOptions {
        var metadata = Metadata()
        if let name { try metadata.add("x-name", name) }
        return CallOptions(metadata: metadata)
    }

    @Test func everyMethodIsServed() async throws {
        try await Wire.withServer { wire in
            let channel = wire.channel
            let name = try await createSession(wire)
            var get = Posed_V1_GetSessionRequest()
            get.name = name
            #expect(try await channel.unary(SessionMethods.get, get).name == name)
            let list = try await channel.unary(SessionMethods.list, Posed_V1_ListSessionsRequest())
            #expect(list.sessions.map(\.name) == [name])
            var update = Posed_V1_UpdateSessionRequest()
            update.session.name = name
            update.session.displayName = "Ada"
            #expect(try await channel.unary(SessionMethods.update, update).displayName == "Ada")

            var synthesize = Posed_V1_SynthesizeRequest()
            synthesize.session = name
            synthesize.pose = Poses.pose()
            synthesize.settings.seed = 4
            let frame = try await channel.unary(SynthesisMethods.synthesize, synthesize).frame
            #expect(frame.used.seed == 4)
            #expect(try frame.image.image(at: "image", maxSide: 4).width == 2)

            _ = try await channel.unary(
                CatalogMethods.listModels, Posed_V1_ListModelsRequest())
            _ = try await channel.unary(
                CatalogMethods.listBackends, Posed_V1_ListBackendsRequest())
            _ = try await channel.unary(
                CatalogMethods.listSolvers, Posed_V1_ListSolversRequest())
            let info = try await channel.unary(
                ServerMethods.getInfo, Posed_V1_GetServerInfoRequest(), options: options("ada"))
            #expect(info.version == "1.2.3")
            #expect(info.startTime.seconds == 1000)
            #expect(info.identity == "token:ada")
            #expect(info.limits.maxMessageBytes == 1 << 24)
            wire.serving.with { $0.statistics.framesCompleted = 12 }
            // An administrator is told of all callers, others of themselves.
            let own = try await channel.unary(
                ServerMethods.getStatistics, Posed_V1_GetStatisticsRequest())
            #expect(own.framesCompleted == 0)
            var root = CallOptions()
            try root.metadata.add("x-name", "root")
            let statistics = try await channel.unary(
                ServerMethods.getStatistics, Posed_V1_GetStatisticsRequest(), options: root)
            #expect(statistics.framesCompleted == 12)

            var delete = Posed_V1_DeleteSessionRequest()
            delete.name = name
            _ = try await channel.unary(SessionMethods.delete, delete)
        }
    }

    @Test func errorsHaveTheirStatusAndTheRequestItsNumber() async throws {
        try await Wire.withServer { wire in
            var get = Posed_V1_GetSessionRequest()
            get.name = "sessions/none"
            var metadata = Metadata()
            try metadata.add("x-request-id", "mine-1")
            let options = CallOptions(metadata: metadata)
            let missing = await #expect(throws: RPCError.self) {
                try await wire.channel.unary(SessionMethods.get, get, options: options)
            }
            #expect(missing?.code == .notFound)
            #expect(missing?.message == "there is no session sessions/none")
            #expect(missing?.metadata["x-request-id"] == "mine-1")
            get.name = ""
            let malformed = await #expect(throws: RPCError.self) {
                try await wire.channel.unary(SessionMethods.get, get)
            }
            #expect(malformed?.code == .invalidArgument)
            #expect(malformed?.message == "name: expected a name `sessions/…`, got nothing")
            #expect(malformed?.metadata["x-request-id"]?.isEmpty == false)
        }
    }

    @Test func defectsKeepTheirDetails() async throws {
        struct Secret: Error { let path = "/etc/shadow" }
        try await Wire.withServer { wire in
            wire.serving.with { $0.failure = Secret() }
            var get = Posed_V1_GetSessionRequest()
            get.name = "sessions/1"
            let error = await #expect(throws: RPCError.self) {
                try await wire.channel.unary(SessionMethods.get, get)
            }
            #expect(error?.code == .internal)
            #expect(error?.message.contains("shadow") == false)
        }
    }

    @Test func aStreamGoesThroughTheSocket() async throws {
        try await Wire.withServer { wire in
            let name = try await createSession(wire)
            let call = try wire.channel.stream(SynthesisMethods.stream)
            var request = Posed_V1_StreamSynthesizeRequest()
            request.start.session = name
            request.start.settings.imageFormat = .rawRgb8
            try await call.write(request)
            #expect(try await call.next()?.started.settings.seed == 99)
            for sequence: UInt64 in 1...5 {
                request.pose.sequence = sequence
                request.pose.pose = Poses.pose()
                request.pose.settings.seed = sequence
                try await call.write(request)
                let answer = try await call.next()
                #expect(answer?.sequence == sequence)
                #expect(answer?.frame.used.seed == sequence)
            }
            try await call.finishWriting()
            #expect(try await call.next() == nil)
            #expect(await call.status().code == .ok)
        }
    }

    @Test func aClientThatDisappearsStopsItsStream() async throws {
        try await Wire.withServer(answering: .whenTold) { wire in
            let name = try await createSession(wire)
            let call = try wire.channel.stream(SynthesisMethods.stream)
            var request = Posed_V1_StreamSynthesizeRequest()
            request.start.session = name
            try await call.write(request)
            _ = try await call.next()
            request.pose.sequence = 1
            request.pose.pose = Poses.pose()
            try await call.write(request)
            let stream = try #require(wire.serving.stream)
            await stream.arrivals(1)
            call.cancel()
            await stream.cancellation()
        }
    }

    @Test func drainingFlushesStreamsAndTellsWatchers() async throws {
        try await Wire.withServer(answering: .whenTold) { wire in
            wire.services.health.set(.serving)
            let name = try await createSession(wire)
            let call = try wire.channel.stream(SynthesisMethods.stream)
            var request = Posed_V1_StreamSynthesizeRequest()
            request.start.session = name
            try await call.write(request)
            _ = try await call.next()
            request.pose.sequence = 1
            request.pose.pose = Poses.pose()
            try await call.write(request)
            try await #require(wire.serving.stream).arrivals(1)

            let watch = try await wire.channel.serverStreaming(
                HealthMethods.watch, Grpc_Health_V1_HealthCheckRequest())
            #expect(try await watch.next()?.status == .serving)
            let reflection = try wire.channel.stream(ReflectionMethods.info)
            var question = Grpc_Reflection_V1_ServerReflectionRequest()
            question.listServices = ""
            try await reflection.write(question)
            #expect(try await reflection.next()?.listServicesResponse.service.isEmpty == false)

            wire.services.beginDraining()
            #expect(try await call.next()?.sequence == 1)
            for status in [await call.status(), await reflection.status()] {
                #expect(status.code == .unavailable)
                #expect(status.message == "the daemon is shutting down")
            }
            #expect(try await watch.next()?.status == .notServing)
            #expect(await watch.status().code == .unavailable)
        }
    }

    @Test func healthIsCheckedByService() async throws {
        try await Wire.withServer { wire in
            var request = Grpc_Health_V1_HealthCheckRequest()
            #expect(
                try await wire.channel.unary(HealthMethods.check, request).status == .notServing)
            wire.services.health.set(.serving)
            for service in Services.names + [""] {
                request.service = service
                #expect(
                    try await wire.channel.unary(HealthMethods.check, request).status == .serving)
            }
            request.service = "unknown.Service"
            let error = await #expect(throws: RPCError.self) {
                try await wire.channel.unary(HealthMethods.check, request)
            }
            #expect(error?.code == .notFound)
            let watch = try await wire.channel.serverStreaming(HealthMethods.watch, request)
            #expect(try await watch.next()?.status == .serviceUnknown)
            watch.cancel()
        }
    }

    @Test func reflectionSpeaksBothVersions() async throws {
        try await Wire.withServer { wire in
            for method in [ReflectionMethods.info, ReflectionMethods.alphaInfo] {
                let call = try wire.channel.stream(method)
                var question = Grpc_Reflection_V1_ServerReflectionRequest()
                question.fileContainingSymbol = "posed.v1.SessionService"
                try await call.write(question)
                let files = try await call.next()?.fileDescriptorResponse.fileDescriptorProto
                #expect(files?.isEmpty == false)
                question.fileContainingSymbol = "nobody"
                try await call.write(question)
                #expect(try await call.next()?.errorResponse.errorCode == 5)
                try await call.finishWriting()
                #expect(try await call.next() == nil)
            }
        }
    }
}
