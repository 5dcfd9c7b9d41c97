import PosedProtos
import PosedRPC
import Testing

@Suite struct MethodDescriptorTests {
    @Test func messagesReturnFromTheirBytes() throws {
        var request = Posed_V1_SynthesizeRequest()
        request.session = "sessions/a"
        request.pose = Poses.pose()
        let method = SynthesisMethods.synthesize
        #expect(try method.decodeRequest(try method.encodeRequest(request)) == request)
        var response = Posed_V1_SynthesizeResponse()
        response.frame.used.seed = 7
        #expect(try method.decodeResponse(try method.encodeResponse(response)) == response)
    }

    @Test func anEmptyMessageIsNoBytes() throws {
        let method = CatalogMethods.listModels
        #expect(try method.encodeRequest(Posed_V1_ListModelsRequest()).isEmpty)
        #expect(try method.decodeRequest(MessageBytes()) == Posed_V1_ListModelsRequest())
    }

    @Test func bytesThatAreNoMessageAreTheSendersFault() throws {
        let garbage = MessageBytes([0xFF, 0xFF, 0xFF])
        let asked = #expect(throws: RPCError.self) {
            try SessionMethods.get.decodeRequest(garbage)
        }
        #expect(asked?.code == .invalidArgument)
        #expect(
            asked?.message
                == "expected a message posed.v1.GetSessionRequest, got 3 bytes that are none")
        let answered = #expect(throws: RPCError.self) {
            try SessionMethods.get.decodeResponse(garbage)
        }
        #expect(answered?.code == .internal)
    }

    @Test func pathsAndShapes() {
        #expect(SynthesisMethods.stream.path == "/posed.v1.SynthesisService/StreamSynthesize")
        #expect(SynthesisMethods.stream.shape == .bidirectional)
        #expect(HealthMethods.watch.path == "/grpc.health.v1.Health/Watch")
        #expect(HealthMethods.watch.shape == .serverStreaming)
        #expect(
            ReflectionMethods.alphaInfo.path
                == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    }
}
