import PosedProtos
import SwiftProtobuf
import Testing

import PosedService

@Suite struct ReflectionServiceTests {
    private func ask(
        _ change: (inout Grpc_Reflection_V1_ServerReflectionRequest) -> Void
    ) throws -> Grpc_Reflection_V1_ServerReflectionResponse {
        var request = Grpc_Reflection_V1_ServerReflectionRequest()
        request.host = "here"
        change(&request)
        let service = ReflectionService(pool: try DescriptorPool(), services: Services.names)
        let response = try service.answer(request)
        #expect(response.validHost == "here")
        #expect(response.originalRequest == request)
        return response
    }

    @Test func servicesAreListed() throws {
        let list = try ask { $0.listServices = "" }.listServicesResponse
        #expect(list.service.map(\.name) == Services.names.sorted())
    }

    @Test func filesAreGiven() throws {
        let byName = try ask { $0.fileByFilename = "posed/v1/image.proto" }
        let bySymbol = try ask { $0.fileContainingSymbol = "posed.v1.Image" }
        for response in [byName, bySymbol] {
            let files = response.fileDescriptorResponse.fileDescriptorProto
            #expect(files.count == 1)
            let file = try Google_Protobuf_FileDescriptorProto(
                serializedBytes: try #require(files.first))
            #expect(file.name == "posed/v1/image.proto")
        }
    }

    @Test func extensionsAreAnswered() throws {
        let none = try ask { $0.allExtensionNumbersOfType = "posed.v1.Image" }
        #expect(none.allExtensionNumbersResponse.baseTypeName == "posed.v1.Image")
        #expect(none.allExtensionNumbersResponse.extensionNumber.isEmpty)
        let missing = try ask {
            $0.fileContainingExtension.containingType = "posed.v1.Image"
            $0.fileContainingExtension.extensionNumber = 5
        }
        #expect(missing.errorResponse.errorCode == 5)
        #expect(
            missing.errorResponse.errorMessage == "there is no extension 5 of `posed.v1.Image`")
    }

    @Test func whatThereIsNotIsAnAnswer() throws {
        let file = try ask { $0.fileByFilename = "x.proto" }
        #expect(file.errorResponse.errorCode == 5)
        #expect(file.errorResponse.errorMessage == "there is no file `x.proto`")
        let symbol = try ask { $0.fileContainingSymbol = "x.Y" }
        #expect(symbol.errorResponse.errorMessage == "there is no symbol `x.Y`")
        let type = try ask { $0.allExtensionNumbersOfType = "x.Y" }
        #expect(type.errorResponse.errorMessage == "there is no message `x.Y`")
        #expect(try ask { _ in }.errorResponse.errorCode == 3)
    }
}
