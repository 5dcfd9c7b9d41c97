import PosedErrors
package import PosedProtos
package import PosedServing
import PosedVision

extension Posed_V1_SynthesizeRequest {
    /// Whose picture; pictures that were sent along are decoded here. Throws `RequestError`.
    package func subject(limits: ServingLimits) throws -> FrameRequest.Subject {
        switch person {
        case .session(let name): .session(try ResourceName.session(name, at: "session"))
        case .sources(let sources):
            .pictures(
                try Posed_V1_Image.images(
                    sources.images, at: "sources.images", limits: limits),
                model: try ResourceName.model(sources.model, at: "sources.model"),
                framing: try Posed_V1_Image.framing(
                    sources.images, fit: sources.sourceFit, at: "sources.images",
                    fitAt: "sources.source_fit"))
        case nil:
            throw RequestError(
                .invalidArgument, "expected `session` or `sources`, got neither", at: "person")
        }
    }
}

extension Posed_V1_SynthesizeRequest {
    /// What the request calls the engine's fields.
    var names: KeyValuePairs<FieldPath, FieldPath> {
        guard case .sources? = person else { return [:] }
        return ["model": "sources.model", "sources": "sources.images"]
    }
}

extension Posed_V1_StreamStart {
    /// What the request calls the engine's fields.
    static let names: KeyValuePairs<FieldPath, FieldPath> = [
        "session": "start.session", "settings": "start.settings",
        "warm_start": "start.warm_start", "max_lag": "start.max_lag",
    ]

    /// What holds for the stream. Throws `RequestError`.
    package func options(limits: ServingLimits) throws -> StreamOptions {
        let path = FieldPath("start")
        var options = StreamOptions(
            session: try ResourceName.session(session, at: path.field("session")))
        options.settings = try settings.settings(at: path.field("settings"), limits: limits)
        switch skipping {
        case .maxLag(let lag)?:
            options.maxLag = try lag.duration(at: path.field("max_lag"))
        case .everyPose(true)?: options.everyPose = true
        case .everyPose(false)?:
            throw path.field("every_pose").refusal(expected: "true, or nothing", got: false)
        case nil: break
        }
        if hasFrameDeadline {
            let field = path.field("frame_deadline")
            let deadline = try frameDeadline.duration(at: field)
            guard deadline > .zero else {
                throw field.refusal(expected: "more than 0", got: deadline)
            }
            options.frameDeadline = deadline
        }
        guard warmStart >= 0, warmStart < 1 else {
            throw path.field("warm_start").refusal(
                expected: "a time of the path, from 0 to below 1", got: warmStart)
        }
        options.warmStart = warmStart
        return options
    }

    /// What is done to the stream's poses before they are drawn. Throws `RequestError`.
    func track(limits: ServingLimits) throws -> PoseTrack {
        let path = FieldPath("start")
        var retargeter: PoseRetargeter?
        if hasRetargetTo {
            let field = path.field("retarget_to")
            guard
                case .keypoints(let source) = try retargetTo.pose(
                    at: field, maxSide: limits.maxSide)
            else {
                throw field.refusal(expected: "a pose with joints", got: "a picture")
            }
            retargeter = try field.reading { try PoseRetargeter(source: source) }
        }
        var smoother: PoseSmoother?
        if hasSmoothing {
            let field = path.field("smoothing")
            func checked(_ name: String, _ value: Double, to most: Double) throws -> Double {
                guard value > 0, value <= most else {
                    throw field.field(name).refusal(
                        expected: "more than 0 and at most \(Int(most))", got: value)
                }
                return value
            }
            smoother = PoseSmoother(
                minCutoff: try checked("min_cutoff", smoothing.minCutoff, to: 1000),
                rate: smoothing.hasRate
                    ? try checked("rate", smoothing.rate, to: 10_000) : PoseSmoother.defaultRate)
        }
        return PoseTrack(retargeter: retargeter, smoother: smoother)
    }
}
