internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import PosedErrors
internal import PosedRPC
internal import PosedService
internal import PosedServing
internal import SwiftProtobuf

/// A refusal as HTTP tells it: a status and a problem document (RFC 9457).
///
/// Sendable because its details are values of JSON, which nobody changes.
package struct Problem: Error, @unchecked Sendable {
    /// The HTTP status.
    var status: HTTPResponse.Status
    /// The canonical code.
    var code: StatusCode
    /// One sentence for people.
    var detail: String
    /// The field or part that is wrong.
    var field: String?
    /// The details of `google.rpc`, as the JSON of protobuf.
    var details: [[String: Any]] = []
    /// After how many seconds the same request may succeed.
    var retryAfter: Int?

    /// A problem that HTTP alone knows, such as a media type.
    init(_ status: HTTPResponse.Status, _ code: StatusCode, _ detail: String) {
        (self.status, self.code, self.detail) = (status, code, detail)
    }

    /// Whatever a request ended with. What was not written for callers becomes INTERNAL.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as RPCError: self.init(code: error.code, error.sentMessage)
        case is Patience.Lost:
            self.init(.requestTimeout, .deadlineExceeded, "the body did not come in time")
        case let error as HTTPError:
            self.init(error.status, .invalidArgument, error.body ?? error.status.reasonPhrase)
        default:
            let error = RequestError(error)
            self.init(code: StatusCode(rawValue: error.code.rawValue), error.description)
            field = error.field?.description
            retryAfter = error.retryAfter.map { max(1, Int($0.components.seconds)) }
            details = error.details.compactMap { detail in
                guard let text = try? detail.jsonUTF8Data() else { return nil }
                return try? JSONSerialization.jsonObject(with: text) as? [String: Any]
            }
        }
    }

    /// What the log and the metrics are told.
    func rpcError(cause: any Error) -> RPCError { RPCError(code, detail, cause: cause) }

    private init(code: StatusCode, _ detail: String) {
        self.init(Self.status(of: code), code, detail)
    }

    /// The HTTP status of a canonical code, as google.rpc.Code maps them.
    private static func status(of code: StatusCode) -> HTTPResponse.Status {
        switch code {
        case .invalidArgument, .failedPrecondition, .outOfRange: .badRequest
        case .unauthenticated: .unauthorized
        case .permissionDenied: .forbidden
        case .notFound: .notFound
        case .alreadyExists, .aborted: .conflict
        case .resourceExhausted: .tooManyRequests
        case .cancelled: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
        case .unimplemented: .notImplemented
        case .unavailable: .serviceUnavailable
        case .deadlineExceeded: .gatewayTimeout
        default: .internalServerError
        }
    }

    /// The document.
    var response: Response {
        var members: [String: Any] = [
            "type": "about:blank", "title": status.reasonPhrase, "status": status.code,
            "code": code.name, "detail": detail,
        ]
        if let field { members["field"] = field }
        if !details.isEmpty { members["details"] = details }
        let body =
            (try? JSONSerialization.data(withJSONObject: members, options: [.sortedKeys])) ?? Data()
        var headers = HTTPFields()
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }
}
