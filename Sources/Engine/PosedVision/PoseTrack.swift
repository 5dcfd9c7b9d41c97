import Foundation

/// Poses one after another, fitted to another person and smoothed where that is wanted.
///
/// What becomes of a pose depends on those before it, so each one is given once, in order.
package struct PoseTrack: Sendable {
    private var retargeter: PoseRetargeter?
    private var smoother: PoseSmoother?

    /// A track. Smoothing comes first, so that lengths are measured on calm joints.
    package init(retargeter: PoseRetargeter? = nil, smoother: PoseSmoother? = nil) {
        self.retargeter = retargeter
        self.smoother = smoother
    }

    /// The next pose as it is to be drawn.
    ///
    /// Throws `malformedPose` for a picture of a pose, which has no joints, and what `PoseRetargeter` throws.
    package mutating func next(_ pose: PoseInput) throws -> PoseInput {
        guard retargeter != nil || smoother != nil else { return pose }
        guard case .keypoints(var keypoints) = pose else {
            throw VisionError(
                .malformedPose,
                "a pose with joints was expected, since it is to be fitted or smoothed, not a picture"
            )
        }
        if let calm = smoother?.next(keypoints) { keypoints = calm }
        if let fitted = try retargeter?.next(keypoints) { keypoints = fitted }
        return .keypoints(keypoints)
    }
}

/// Fits poses of one body to another: the limbs get the other's lengths and keep their directions, and the
/// track begins where the other stands.
///
/// The first pose with a neck and hips, or shoulders, is measured against the source; later ones are not, so that
/// nobody grows or shrinks on the way. Of a left and a right limb the longer one counts, because a picture can
/// only shorten them, and no limb is stretched more than half as much again as the whole body.
package struct PoseRetargeter: Sendable {
    private let source: Body
    private var fit: Fit?

    /// The limbs of `PoseSkeleton` whose lengths are one measure: left and right.
    private static let pairs = [1, 0, 4, 5, 2, 3, 9, 10, 11, 6, 7, 8, 12, 15, 16, 13, 14]
    /// The most that a limb's scale may differ from the body's.
    private static let spread = 1.5

    /// A pose in units that are as long across as down.
    ///
    /// Normalized coordinates of a track do not tell the picture's proportions; it is taken for a square.
    private struct Body {
        let pose: Keypoints
        var points: [Keypoint] { pose.points }

        /// The length of a limb, or of its twin where that is longer; nil where neither is there.
        func length(_ limb: Int) -> Double? {
            let lengths = [limb, PoseRetargeter.pairs[limb]].compactMap { index -> Double? in
                let limb = PoseSkeleton.limbs[index]
                let (from, to) = (points[limb.from], points[limb.to])
                guard from.isPresent, to.isPresent else { return nil }
                return hypot(to.x - from.x, to.y - from.y)
            }
            return lengths.max().flatMap { $0 > 0 ? $0 : nil }
        }
    }

    /// What the first pose came to.
    private struct Fit {
        /// Where the neck was.
        let neck: Keypoint
        /// How much larger the source is.
        let scale: Double
        /// The same for each limb.
        let limbs: [Double]
    }

    /// A retargeter to a person, given the pose in the source picture and that picture's size in pixels.
    ///
    /// Throws `incompletePose` for a source without a neck, or with neither hips nor shoulders, and what
    /// `Keypoints.placed` throws for one that does not fit the picture.
    package init(source: Keypoints, width: Int, height: Int) throws {
        self.source = Body(pose: try source.placed(width: width, height: height))
        guard self.source.points[1].isPresent,
            self.source.length(6) != nil || self.source.length(0) != nil
        else {
            throw VisionError(
                .incompletePose,
                "the source's pose should have a neck, and hips or shoulders, to fit others to it")
        }
    }

    /// The next pose, fitted, in pixels of the source picture.
    ///
    /// Throws `incompletePose` as long as no pose could be measured against the source.
    package mutating func next(_ pose: Keypoints) throws -> Keypoints {
        let body = Body(pose: pose)
        let fit = try self.fit ?? measured(body)
        self.fit = fit
        let neck = source.points[1]
        func moved(_ joint: Keypoint, with other: Keypoint, to place: Keypoint, _ scale: Double)
            -> Keypoint
        {
            Keypoint(
                x: place.x + (joint.x - other.x) * scale, y: place.y + (joint.y - other.y) * scale,
                confidence: joint.confidence)
        }
        var points = body.points.map {
            $0.isPresent ? moved($0, with: fit.neck, to: neck, fit.scale) : .absent
        }
        for (limb, scale) in zip(PoseSkeleton.limbs, fit.limbs)
        where body.points[limb.from].isPresent && body.points[limb.to].isPresent {
            points[limb.to] = moved(
                body.points[limb.to], with: body.points[limb.from], to: points[limb.from], scale)
        }
        func part(_ part: [Keypoint], at joint: Int, _ scale: Double) -> [Keypoint] {
            let (before, after) = (body.points[joint], points[joint])
            return part.map { point in
                guard point.isPresent else { return .absent }
                return before.isPresent
                    ? moved(point, with: before, to: after, scale)
                    : moved(point, with: fit.neck, to: neck, fit.scale)
            }
        }
        return try Keypoints(
            points, leftHand: part(pose.leftHand, at: 7, fit.limbs[5]),
            rightHand: part(pose.rightHand, at: 4, fit.limbs[3]),
            face: part(pose.face, at: 0, fit.limbs[13]), units: .pixels)
    }

    private func measured(_ body: Body) throws -> Fit {
        // Down from the neck, else across the shoulders.
        let measures = [6, 0].compactMap { limb -> Double? in
            guard let ours = source.length(limb), let theirs = body.length(limb) else {
                return nil
            }
            return ours / theirs
        }
        guard body.points[1].isPresent, let scale = measures.first else {
            throw VisionError(
                .incompletePose,
                "the first pose of a track should have a neck, and hips or shoulders as the source has "
                    + "them, to be fitted to it")
        }
        let spread = PoseRetargeter.spread
        let limbs = PoseSkeleton.limbs.indices.map { limb in
            guard let ours = source.length(limb), let theirs = body.length(limb) else {
                return scale
            }
            return min(max(ours / theirs, scale / spread), scale * spread)
        }
        return Fit(neck: body.points[1], scale: scale, limbs: limbs)
    }
}

/// Calms the joints of a track that tremble: a one-euro filter for each coordinate.
///
/// A filter is a first-order low-pass whose cutoff grows with the speed: `minCutoff + beta · speed` hertz, speeds in
/// picture heights a second. So a joint that rests does not tremble, and one that moves does not lag. A joint that
/// was away begins anew where it comes back.
package struct PoseSmoother: Sendable {
    private let minCutoff: Double
    private let beta: Double
    private let rate: Double
    private var units: KeypointUnits?
    private var tracks: [[Track?]] = []

    /// How quickly speeds are believed, in hertz.
    private static let speedCutoff = 1.0
    /// How much the cutoff grows, in hertz for each picture height a second.
    package static let defaultBeta = 10.0
    /// Poses a second where nobody says.
    package static let defaultRate = 25.0

    private struct Track {
        var x: Double
        var y: Double
        var speedX = 0.0
        var speedY = 0.0
    }

    /// A smoother.
    ///
    /// - Parameters:
    ///   - minCutoff: The cutoff at rest, in hertz; the lower, the calmer.
    ///   - rate: Poses a second.
    package init(
        minCutoff: Double, beta: Double = PoseSmoother.defaultBeta,
        rate: Double = PoseSmoother.defaultRate
    ) {
        self.minCutoff = minCutoff
        self.beta = beta
        self.rate = rate
    }

    /// The next pose, smoothed.
    package mutating func next(_ pose: Keypoints) -> Keypoints {
        if units != pose.units {
            units = pose.units
            tracks = []
        }
        var parts = [pose.points, pose.leftHand, pose.rightHand, pose.face]
        for index in parts.indices {
            if tracks.count <= index { tracks.append([]) }
            if tracks[index].count != parts[index].count {
                tracks[index] = Array(repeating: nil, count: parts[index].count)
            }
            for joint in parts[index].indices {
                smooth(&parts[index][joint], &tracks[index][joint])
            }
        }
        return pose.with(
            points: parts[0], leftHand: parts[1], rightHand: parts[2], face: parts[3])
    }

    private func smooth(_ joint: inout Keypoint, _ track: inout Track?) {
        guard joint.isPresent else {
            track = nil
            return
        }
        guard var known = track else {
            track = Track(x: joint.x, y: joint.y)
            return
        }
        let height: Double = if case .frame(let frame)? = units { frame.height } else { 256 }
        func filtered(_ value: Double, _ last: inout Double, _ speed: inout Double) {
            speed += gain(PoseSmoother.speedCutoff) * ((value - last) * rate - speed)
            last += gain(minCutoff + beta * abs(speed) / height) * (value - last)
        }
        filtered(joint.x, &known.x, &known.speedX)
        filtered(joint.y, &known.y, &known.speedY)
        (joint.x, joint.y) = (known.x, known.y)
        track = known
    }

    /// How much of a new value a low-pass of that cutoff takes.
    private func gain(_ cutoff: Double) -> Double {
        1 / (1 + rate / (2 * .pi * cutoff))
    }
}
