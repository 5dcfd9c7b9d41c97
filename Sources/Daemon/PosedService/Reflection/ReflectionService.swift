import Foundation
package import PosedProtos
import PosedRPC

/// Server reflection, which both of its versions share.
package struct ReflectionService: Sendable {
    private typealias Response = Grpc_Reflection_V1_ServerReflectionResponse

    private let pool: DescriptorPool
    private let services: [String]

    /// The service, as `pool` knows; `services` are those that are served.
    package init(pool: DescriptorPool, services: [String]) {
        self.pool = pool
        self.services = services.sorted()
    }

    /// Answers a question. What cannot be found is an answer too.
    package func answer(
        _ request: Grpc_Reflection_V1_ServerReflectionRequest
    ) throws -> Grpc_Reflection_V1_ServerReflectionResponse {
        var response = Response()
        response.validHost = request.host
        response.originalRequest = request
        response.messageResponse =
            switch request.messageRequest {
            case .fileByFilename(let name):
                files(try pool.file(named: name), orNo: "file `\(name.prefix(200))`")
            case .fileContainingSymbol(let symbol):
                files(try pool.file(declaring: symbol), orNo: "symbol `\(symbol.prefix(200))`")
            case .fileContainingExtension(let wanted):
                files(
                    try pool.file(
                        declaringExtension: wanted.extensionNumber, of: wanted.containingType),
                    orNo: "extension \(wanted.extensionNumber) of "
                        + "`\(wanted.containingType.prefix(200))`")
            case .allExtensionNumbersOfType(let type):
                try extensions(of: type)
            case .listServices: .listServicesResponse(list)
            case nil:
                .errorResponse(Self.error(.invalidArgument, "expected a question, got none known"))
            }
        return response
    }

    private func files(_ files: [[UInt8]]?, orNo what: String) -> Response.OneOf_MessageResponse {
        guard let files else { return .errorResponse(Self.error(.notFound, "there is no \(what)")) }
        var found = Grpc_Reflection_V1_FileDescriptorResponse()
        found.fileDescriptorProto = files.map { Data($0) }
        return .fileDescriptorResponse(found)
    }

    private func extensions(of type: String) throws -> Response.OneOf_MessageResponse {
        guard let numbers = try pool.extensionNumbers(of: type) else {
            return .errorResponse(
                Self.error(.notFound, "there is no message `\(type.prefix(200))`"))
        }
        var found = Grpc_Reflection_V1_ExtensionNumberResponse()
        found.baseTypeName = type
        found.extensionNumber = numbers
        return .allExtensionNumbersResponse(found)
    }

    private var list: Grpc_Reflection_V1_ListServiceResponse {
        var list = Grpc_Reflection_V1_ListServiceResponse()
        list.service = services.map { name in
            var service = Grpc_Reflection_V1_ServiceResponse()
            service.name = name
            return service
        }
        return list
    }

    private static func error(
        _ code: StatusCode, _ message: String
    ) -> Grpc_Reflection_V1_ErrorResponse {
        var error = Grpc_Reflection_V1_ErrorResponse()
        error.errorCode = code.rawValue
        error.errorMessage = message
        return error
    }
}
