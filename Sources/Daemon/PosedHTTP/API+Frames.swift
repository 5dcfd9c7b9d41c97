internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import PosedAccounts
internal import PosedErrors
internal import PosedProtos
internal import PosedRPC
internal import PosedService
internal import SwiftProtobuf

extension API {
    /// `POST /v1/sessions/{id}/frames` and, without a session, `POST /v1/frames`.
    func frame(_ call: Call, session: String?) async throws -> Response {
        let format = try Self.format(accept: call.request.headers[.accept])
        let (bytes, hold) = try await call.body()
        defer { withExtendedLifetime(hold) {} }
        var request = Posed_V1_SynthesizeRequest()
        request.settings = try Self.message(
            Posed_V1_SynthesisSettings.self, query: call.request.uri.queryParameters)
        if call.type == "multipart/form-data" {
            try fill(
                &request,
                try Multipart(bytes, contentType: call.request.headers[.contentType] ?? ""), hold)
        } else if session != nil,
            Self.poseTypes.contains(call.type) || call.type.hasPrefix("image/")
        {
            request.pose.file = bytes
        } else if call.type == "application/json" {
            request = try Self.message(Posed_V1_SynthesizeRequest.self, json: bytes, hold)
        } else {
            throw Self.unsupported(
                call.type,
                session == nil
                    ? ["multipart/form-data", "application/json"]
                    : ["multipart/form-data"] + Self.poseTypes + ["image/png"])
        }
        if let session { request.session = session }
        request.settings.imageFormat = format
        let frame = try await services.synthesis.synthesize(request, call.caller).frame
        let picture = try Self.file(of: frame)
        if let session { live.show(picture, in: session, of: call.caller.owner) }
        return Self.response(frame, picture)
    }

    /// The media types of poses; the format is told by the content.
    static let poseTypes = [
        "application/json", "application/octet-stream", "text/plain",
        "application/x-www-form-urlencoded",
    ]

    /// Fills a request from the parts of a form: `source` and `pose` are files, `settings` is JSON.
    private func fill(
        _ request: inout Posed_V1_SynthesizeRequest, _ form: Multipart, _ hold: Hold
    ) throws {
        try form.check(names: ["source", "pose", "settings"])
        if let settings = form.all("settings").first {
            request.settings = try Self.message(
                Posed_V1_SynthesisSettings.self, json: settings, hold)
        }
        guard let pose = form.all("pose").first else {
            throw RequestError(
                .invalidArgument, "expected a part with a pose file, got none", at: "pose")
        }
        request.pose.file = pose
        let sources = form.all("source")
        if !sources.isEmpty { request.sources.images = sources.map(Self.image) }
    }

    // MARK: Pictures

    /// A picture as a file.
    struct Picture: Sendable {
        var type: String
        var bytes: Data
    }

    /// The format that a client asks for.
    ///
    /// - Throws: 406 where it takes none of those that there are.
    static func format(accept: String?) throws -> Posed_V1_ImageFormat {
        guard let accept else { return .png }
        for range in accept.split(separator: ",") {
            let type = range.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
            switch type {
            case "image/png", "image/*", "*/*": return .png
            case "image/jpeg": return .jpeg
            default: continue
            }
        }
        throw Problem(
            .notAcceptable, .invalidArgument,
            "Accept: expected image/png or image/jpeg, got \"\(accept)\"")
    }

    /// The file of a frame that was made as PNG or JPEG.
    static func file(of frame: Posed_V1_Frame) throws -> Picture {
        switch frame.image.encoding {
        case .png(let bytes)?: return Picture(type: "image/png", bytes: bytes)
        case .jpeg(let bytes)?: return Picture(type: "image/jpeg", bytes: bytes)
        default:
            throw RequestError(.internal, "the frame came in another format than was asked for")
        }
    }

    private static func response(_ frame: Posed_V1_Frame, _ picture: Picture) -> Response {
        var headers: HTTPFields = [.contentType: picture.type, .cacheControl: "no-store"]
        let used = frame.used
        let facts = [
            "X-Posed-Model": used.model, "X-Posed-Solver": used.solver,
            "X-Posed-Nfe": String(used.nfe), "X-Posed-Seed": String(used.seed),
            "X-Posed-Guidance-Scale": String(used.guidanceScale),
            "Server-Timing": timing(frame.timings),
        ]
        for (name, value) in facts {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: picture.bytes)))
    }

    /// The stages in milliseconds, as browsers' tools show them.
    private static func timing(_ timings: Posed_V1_StageTimings) -> String {
        let stages = [
            ("queue", timings.queue), ("source", timings.source), ("pose", timings.pose),
            ("solve", timings.solve), ("decode", timings.decode), ("encode", timings.encode),
            ("total", timings.total),
        ]
        return stages.map { name, time in
            let milliseconds = Double(time.seconds) * 1000 + Double(time.nanos) / 1e6
            return "\(name);dur=\((milliseconds * 10).rounded() / 10)"
        }.joined(separator: ", ")
    }

    // MARK: Watching

    /// `GET /v1/sessions/{id}/frames.mjpeg`: every frame that is made for the session, for a plain `<img>`.
    func watch(_ call: Call, session: String) async throws -> Response {
        _ = try await services.sessions.get(.with { $0.name = session }, call.caller)
        // It counts as a stream, and as a call, until the watcher goes.
        let held = [
            try call.admission.account.take(.streams), try call.admission.account.take(.calls),
        ]
        let frames = live.watch(session, of: call.caller.owner)
        let (drain, patience, close) = (services.drain, options.writeTimeout, call.close)
        let boundary = "posed-frame"
        let body = ResponseBody { writer in
            defer { for hold in held { hold.release() } }
            let iterator = Watching(frames)
            while let picture = try await drain.unlessBegun({ await iterator.next() }) {
                var part = ByteBuffer(
                    string: "--\(boundary)\r\nContent-Type: \(picture.type)\r\n"
                        + "Content-Length: \(picture.bytes.count)\r\n\r\n")
                part.writeBytes(picture.bytes)
                part.writeString("\r\n")
                // A watcher that reads nothing is given up.
                try await Patience.waiting(patience, orElse: close) { try await writer.write(part) }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "multipart/x-mixed-replace; boundary=\(boundary)",
                .cacheControl: "no-store",
            ], body: body)
    }
}
