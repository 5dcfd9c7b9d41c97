internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import PosedAccounts
internal import PosedErrors
internal import PosedProtos
internal import PosedRPC
internal import PosedService
internal import PosedVision
internal import SwiftProtobuf

extension API {
    /// `GET /v1/sessions`.
    func list(_ call: Call) async throws -> Response {
        let query = try Self.message(
            Posed_V1_ListSessionsRequest.self, query: call.request.uri.queryParameters)
        return try Self.json(try await services.sessions.list(query, call.caller))
    }

    /// `POST /v1/sessions`: the protocol's message as JSON, a form with pictures named `source`, or one picture.
    func create(_ call: Call) async throws -> Response {
        let (bytes, hold) = try await call.body()
        defer { withExtendedLifetime(hold) {} }
        let request: Posed_V1_CreateSessionRequest
        switch call.type {
        case "application/json":
            request = try Self.message(Posed_V1_CreateSessionRequest.self, json: bytes, hold)
        case "multipart/form-data":
            let form = try Multipart(bytes, contentType: call.request.headers[.contentType] ?? "")
            try form.check(names: ["source", "session"])
            var message = try Self.message(
                Posed_V1_CreateSessionRequest.self, json: form.all("session").first, hold)
            message.sources += form.all("source").map(Self.image)
            request = message
        case let type where type.hasPrefix("image/"):
            var message = try Self.message(
                Posed_V1_CreateSessionRequest.self, query: call.request.uri.queryParameters)
            message.sources = [Self.image(bytes)]
            request = message
        default:
            throw Self.unsupported(
                call.type, ["multipart/form-data", "application/json", "image/png"])
        }
        var response = try Self.json(try await services.sessions.create(request, call.caller))
        response.status = .created
        return response
    }

    /// A picture file; its format is told by its content, and what is none is refused as a PNG.
    static func image(_ file: Data) -> Posed_V1_Image {
        switch Image.fileFormat(of: file) {
        case .jpeg: .with { $0.jpeg = file }
        case .webp: .with { $0.webp = file }
        default: .with { $0.png = file }
        }
    }

    // MARK: Messages

    /// A message in the JSON of protobuf; an empty one without any.
    ///
    /// - Parameter hold: what the text is charged to; what it takes while it is read is added before.
    static func message<Value: Message>(
        _: Value.Type, json: Data?, _ hold: Hold? = nil
    ) throws -> Value {
        guard let json else { return Value() }
        let before = hold?.amount ?? 0
        try hold?.resize(to: before + growth(of: json))
        do {
            return try Value(jsonUTF8Data: json)
        } catch {
            throw RequestError(
                .invalidArgument,
                "expected the JSON of a \(Value.protoMessageName), got something else (\(error))",
                cause: error)
        }
    }

    /// How many bytes a value of JSON may come to when it is read.
    private static let largestValue = 256

    /// What a text in JSON takes when it is read: its bytes, and something for each value in it.
    static func growth(of json: Data) -> Int {
        let marks = json.count {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[")
        }
        return json.count + (marks + 1) * largestValue
    }

    /// A message whose fields are the parameters of a query.
    static func message<Value: Message>(
        _ type: Value.Type, query: FlatDictionary<Substring, Substring>, without: Set<String> = []
    ) throws -> Value {
        var fields: [String: Any] = [:]
        for (name, value) in query where !without.contains(String(name)) {
            guard fields[String(name)] == nil else {
                throw RequestError(
                    .invalidArgument, "expected once, came twice", at: FieldPath(String(name)))
            }
            let text = value.removingPercentEncoding ?? String(value)
            // The JSON of protobuf takes numbers as texts, but no truth values.
            let isTruth = name == "last_step_first_order" && (text == "true" || text == "false")
            fields[String(name)] = isTruth ? text == "true" : text
        }
        return try message(type, json: try JSONSerialization.data(withJSONObject: fields))
    }

    /// The refusal of a body's media type.
    static func unsupported(_ type: String, _ expected: [String]) -> Problem {
        Problem(
            .unsupportedMediaType, .invalidArgument,
            "Content-Type: expected \(expected.joined(separator: ", ")), got "
                + (type.isEmpty ? "none" : "\"\(type)\""))
    }
}
