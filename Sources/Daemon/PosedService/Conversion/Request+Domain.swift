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

    /// The pose that the pose is fitted to; nil where it stays as it is. Throws `RequestError`.
    func retargetTarget(limits: ServingLimits) throws -> Keypoints? {
        hasRetargetTo ? try retargetTo.joints(at: "retarget_to", limits: limits) : nil
    }
}

extension Posed_V1_Pose {
    /// The pose at `path`, which must have joints. Throws `RequestError`.
    fileprivate func joints(at path: FieldPath, limits: ServingLimits) throws -> Keypoints {
        guard case .keypoints(let joints) = try pose(at: path, maxSide: limits.maxSide) else {
            throw path.refusal(expected: "a pose with joints", got: "a picture")
        }
        return joints
    }
}

extension Posed_V1_StreamStart {
    /// What the request calls the engine's fields.
    static let names: KeyValuePairs<FieldPath, FieldPath> = [
        "session": "start.session", "settings": "start.settings",
        "warm_start": "start.warm_start", "max_lag": "start.max_lag",
        "retarget_to": "start.retarget_to",
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
        if hasRetargetTo {
            options.retargetTo = try retargetTo.joints(
                at: path.field("retarget_to"), limits: limits)
        }
        if hasSmoothing {
            options.smoother = try smoothing.smoother(at: path.field("smoothing"))
        }
        return options
    }
}

extension Posed_V1_PoseSmoothing {
    /// The smoother at `path`. Throws `RequestError`.
    fileprivate func smoother(at path: FieldPath) throws -> PoseSmoother {
        func checked(_ name: String, _ value: Double, to most: Double) throws -> Double {
            guard value > 0, value <= most else {
                throw path.field(name).refusal(
                    expected: "more than 0 and at most \(Int(most))", got: value)
            }
            return value
        }
        return PoseSmoother(
            minCutoff: try checked("min_cutoff", minCutoff, to: 1000),
            rate: hasRate ? try checked("rate", rate, to: 10_000) : PoseSmoother.defaultRate)
    }
}
