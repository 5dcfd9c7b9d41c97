internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1
internal import NIOWebSocket
internal import PosedAccounts
internal import PosedErrors
internal import PosedGuarded
internal import PosedProtos
internal import PosedRPC
internal import PosedService
internal import SwiftProtobuf

/// A stream that was asked for by a WebSocket: who opens it, and with what.
struct LiveOpening: Sendable {
    let call: Connections.Call
    let admission: Admission
    let start: Posed_V1_StreamStart
}

extension API {
    /// The stream that a request opens: `GET /v1/sessions/{id}/stream`, its settings in the query.
    ///
    /// - Throws: what a refusal throws, and `Problem` for paths that are no stream's.
    func open(_ head: HTTPRequestHead, _ peer: Peer) throws -> LiveOpening {
        let uri = URI(head.uri)
        let steps = uri.path.split(separator: "/")
        guard steps.count == 4, steps[0] == "v1", steps[1] == "sessions", steps[3] == "stream"
        else {
            throw Problem(.notFound, .notFound, "\(uri.path) is no stream")
        }
        let (request, known) = try call(
            SynthesisMethods.stream.path, HTTPFields(head.headers, splitCookie: false),
            authority: head.headers["host"].first, peer)
        let start = try start(session: "sessions/\(steps[2])", uri.queryParameters)
        let admission: Admission
        do throws(RPCError) {
            admission = try host.admit(request, known)
        } catch {
            host.refused(request, error)
            throw error
        }
        return LiveOpening(
            call: .init(request: request, known: known, identity: admission.identity),
            admission: admission, start: start)
    }

    /// The first message of a stream.
    ///
    /// - Throws: `invalidArgument` for parameters of the query that cannot be.
    func start(
        session: String, _ query: FlatDictionary<Substring, Substring>
    ) throws -> Posed_V1_StreamStart {
        var start = Posed_V1_StreamStart()
        start.session = session
        start.settings = try Self.message(
            Posed_V1_SynthesisSettings.self, query: query, without: ["format", "max_lag_ms"])
        switch query["format"] {
        case nil, "jpeg": start.settings.imageFormat = .jpeg
        case "png": start.settings.imageFormat = .png
        case let other?:
            throw RequestError(.invalidArgument, "expected jpeg or png, got \(other)", at: "format")
        }
        let lag = query["max_lag_ms"].map { Int32($0) ?? -1 } ?? 0
        guard lag >= 0 else {
            throw RequestError(
                .invalidArgument, "expected a number of milliseconds from 0 on", at: "max_lag_ms")
        }
        start.maxLag = .with {
            $0.seconds = Int64(lag / 1000)
            $0.nanos = lag % 1000 * 1_000_000
        }
        return start
    }
}

/// A live stream over a WebSocket.
///
/// The client sends texts `{"sequence": 7, "pose": …, "settings": {…}}`. Each is answered by a text that repeats the
/// number and holds `frame`, `superseded` or `error`; after a text with `frame` comes the picture, in bytes.
struct LiveSocket {
    /// What closes the socket from this side (RFC 6455, 7.4): the stream's own codes are 4000 and an HTTP status.
    private struct Closing {
        var code: Int
        var reason: String

        init(code: Int, reason: String) {
            self.code = code
            self.reason = reason
        }

        init(_ problem: Problem) {
            self.init(code: 4000 + problem.status.code, reason: problem.detail)
        }
    }

    /// How long the client may take to close its side.
    private static let farewell = Duration.seconds(2)

    let channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
    let api: API
    let hangUp: APIConnection.HangUp

    /// Serves the stream that was asked for until either side ends it, or says why it is refused.
    func run(_ opening: Result<LiveOpening, Problem>, _ entry: Connections.Entry) async {
        defer { if case .success(let opening) = opening { opening.admission.call.release() } }
        guard entry.begin() else { return hangUp() }
        defer { entry.end() }
        try? await channel.executeThenClose { inbound, outbound in
            let messages = SocketMessages(inbound) { [api, hangUp] data in
                try await Patience.waiting(api.options.writeTimeout, orElse: hangUp) {
                    try await outbound.write(Self.frame(.pong, data))
                }
            }
            let closing: Closing
            switch opening {
            case .failure(let problem): closing = Closing(problem)
            case .success(let opening):
                entry.call = opening.call
                closing = await serve(opening, messages, outbound)
            }
            try await Patience.waiting(Self.farewell, orElse: hangUp) {
                try await outbound.write(Self.close(closing))
                // The client closes its side, too, once it has read this.
                try await messages.skip()
            }
            hangUp()
        }
    }

    /// Serves a stream; returns how it ended.
    private func serve(
        _ opening: LiveOpening, _ messages: SocketMessages,
        _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
    ) async -> Closing {
        var closing = Closing(code: 1000, reason: "")
        do {
            try await api.host.serve(opening.call.request, opening.call.identity) {
                do {
                    try await stream(opening, messages, outbound)
                } catch {
                    let problem = Problem(error)
                    closing = Closing(problem)
                    throw problem.rpcError(cause: error)
                }
            }
        } catch {
            // It has been counted and logged; `closing` says what the client is told.
        }
        return closing
    }

    private func stream(
        _ opening: LiveOpening, _ messages: SocketMessages,
        _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
    ) async throws {
        let start = Guarded<Posed_V1_StreamStart?>(opening.start)
        let caller = PosedService.Caller(opening.admission, opening.call.request)
        let account = opening.admission.account
        let session = opening.start.session
        try await api.services.synthesis.stream(
            caller,
            receive: {
                if let first = start.withLock({ start in
                    defer { start = nil }
                    return start
                }) {
                    return Received(
                        message: .with { $0.start = first }, hold: try account.take(.bytes, 0))
                }
                guard let text = try await messages.next() else { return nil }
                // What the text takes while it is read is charged until the frame is made.
                let hold = try account.take(.bytes, API.growth(of: text))
                return Received(message: try Self.request(text), hold: hold)
            },
            send: { response in
                if case .started? = response.answer { return }
                try await answer(response, outbound, session, caller)
            })
    }

    /// Sends the answer to one pose: a text, and after it the picture.
    private func answer(
        _ response: Posed_V1_StreamSynthesizeResponse,
        _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>, _ session: String,
        _ caller: PosedService.Caller
    ) async throws {
        var told = response
        var picture: API.Picture?
        if case .frame(let frame)? = response.answer {
            picture = try API.file(of: frame)
            told.frame.clearImage()
        }
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        options.alwaysPrintInt64sAsNumbers = true
        let text = try told.jsonString(options: options)
        // A client that reads nothing is given up.
        try await Patience.waiting(api.options.writeTimeout, orElse: hangUp) {
            try await outbound.write(Self.frame(.text, ByteBuffer(string: text)))
            if let picture {
                try await outbound.write(Self.frame(.binary, ByteBuffer(bytes: picture.bytes)))
            }
        }
        if let picture { api.live.show(picture, in: session, of: caller.owner) }
    }

    /// The message of the protocol that a text is.
    ///
    /// - Throws: `invalidArgument` for a text that is none; the stream ends with it.
    private static func request(_ text: Data) throws -> Posed_V1_StreamSynthesizeRequest {
        guard let object = try? JSONSerialization.jsonObject(with: text) as? [String: Any],
            let number = object["sequence"] as? NSNumber, let pose = object["pose"]
        else {
            throw RequestError(
                .invalidArgument,
                "a message of a stream: expected a JSON object with \"sequence\" and \"pose\"")
        }
        return try .with { request in
            request.pose.sequence = number.uint64Value
            request.pose.pose.file = try JSONSerialization.data(
                withJSONObject: pose, options: [.fragmentsAllowed])
            if let settings = object["settings"] {
                request.pose.settings = try API.message(
                    Posed_V1_SynthesisSettings.self,
                    json: try JSONSerialization.data(
                        withJSONObject: settings, options: [.fragmentsAllowed]))
            }
        }
    }

    private static func frame(_ kind: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: kind, data: data)
    }

    private static func close(_ closing: Closing) -> WebSocketFrame {
        var data = ByteBuffer()
        data.write(webSocketErrorCode: WebSocketErrorCode(codeNumber: closing.code))
        // A control frame holds 125 bytes.
        data.writeBytes(Array(closing.reason.utf8.prefix(120)))
        return frame(.connectionClose, data)
    }
}

/// The texts that a WebSocket brings, put together of their fragments; pings are answered.
///
/// Sendable because one task reads at a time.
private final class SocketMessages: @unchecked Sendable {
    private var iterator: NIOAsyncChannelInboundStream<WebSocketFrame>.AsyncIterator
    private let pong: @Sendable (ByteBuffer) async throws -> Void

    /// - Parameter pong: answers a ping that has this data.
    init(
        _ inbound: NIOAsyncChannelInboundStream<WebSocketFrame>,
        pong: @escaping @Sendable (ByteBuffer) async throws -> Void
    ) {
        iterator = inbound.makeAsyncIterator()
        self.pong = pong
    }

    /// Reads and forgets what still comes.
    func skip() async throws {
        while try await iterator.next() != nil {}
    }

    /// The next text; nil when the client closes.
    func next() async throws -> Data? {
        var text = Data()
        while let frame = try await iterator.next() {
            switch frame.opcode {
            case .text, .continuation:
                text.append(contentsOf: frame.unmaskedData.readableBytesView)
                guard text.count <= APIConnection.maxMessage else {
                    throw Problem(
                        .contentTooLarge, .resourceExhausted,
                        "a message of a stream: expected at most \(APIConnection.maxMessage) bytes")
                }
                if frame.fin { return text }
            case .ping: try await pong(frame.unmaskedData)
            case .connectionClose: return nil
            case .pong: continue
            default:
                throw Problem(
                    .unsupportedMediaType, .invalidArgument,
                    "a message of a stream: expected a text, got bytes")
            }
        }
        return nil
    }
}
