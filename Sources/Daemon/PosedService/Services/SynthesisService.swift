import PosedAccounts
import PosedErrors
package import PosedProtos
package import PosedServing

/// `posed.v1.SynthesisService`: single pictures here, streams in `SynthesisService+Stream.swift`.
package struct SynthesisService: Sendable {
    let serving: any Serving
    let codec: PictureCodec
    let drain: Drain

    /// The service, as `serving` does its work; `drain` ends its streams.
    package init(serving: any Serving, codec: PictureCodec, drain: Drain) {
        self.serving = serving
        self.codec = codec
        self.drain = drain
    }

    /// Makes one picture.
    package func synthesize(
        _ request: Posed_V1_SynthesizeRequest, _ caller: Caller
    ) async throws -> Posed_V1_SynthesizeResponse {
        let limits = serving.limits
        let settings = try request.settings.settings(at: "settings", limits: limits)
        guard request.hasPose else {
            throw RequestError(.invalidArgument, "expected a pose, got nothing", at: "pose")
        }
        let subject = try await codec.read(
            for: caller.account, request.sources.images.cost(maxSide: limits.maxSide)
        ) { try request.subject(limits: limits) }
        let poses = [request.pose, request.retargetTo].map { $0.cost(maxSide: limits.maxSide) }
        let pose = try await codec.read(for: caller.account, .sum(poses)) {
            (
                given: try request.pose.pose(at: "pose", maxSide: limits.maxSide),
                target: try request.retargetTarget(limits: limits)
            )
        }
        defer {
            subject.hold.release()
            pose.hold.release()
        }
        let format = try await format(settings, of: subject.value, caller)
        var frame = try await RequestError.renaming(request.names) {
            try await serving.synthesize(
                FrameRequest(
                    subject: subject.value, pose: pose.value.given,
                    retargetTo: pose.value.target, settings: settings, deadline: caller.deadline),
                owner: caller.owner)
        }
        if case .sources? = request.person { frame.timings.source += subject.time }
        frame.timings.pose += pose.time
        var response = Posed_V1_SynthesizeResponse()
        response.frame = try await codec.write(
            frame, as: format, for: caller.account, since: caller.arrival)
        return response
    }

    /// How a picture is sent: as the request says, as its session says, as a PNG.
    private func format(
        _ settings: FrameSettings, of subject: FrameRequest.Subject, _ caller: Caller
    ) async throws -> PictureFormat {
        if let format = settings.format { return format }
        guard case .session(let name) = subject else { return .png }
        return try await serving.session(name, owner: caller.owner).defaults.format ?? .png
    }
}
