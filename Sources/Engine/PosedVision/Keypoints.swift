/// A pose: 18 joints in COCO-18 order, as OpenPose writes it, and hands and a face where they are known.
///
/// Nose, neck, right shoulder, elbow, wrist, left shoulder, elbow, wrist, right hip, knee, ankle,
/// left hip, knee, ankle, right eye, left eye, right ear, left ear.
package struct Keypoints: Equatable, Sendable {
    /// How many joints a body has.
    package static let count = 18
    /// How many joints a hand has: the wrist, then four from the palm to the tip of thumb, index, middle, ring
    /// and little finger.
    package static let handCount = 21
    /// How many points a face has: the 68 of the usual annotation, then the right and the left pupil.
    package static let faceCount = 70

    /// The body's joints, in order.
    package let points: [Keypoint]
    /// The joints of the left hand; none, or 21.
    package let leftHand: [Keypoint]
    /// The joints of the right hand; none, or 21.
    package let rightHand: [Keypoint]
    /// The points of the face; none, or 70.
    package let face: [Keypoint]
    /// What the coordinates are measured in; `unsaid` for pixels of the picture that is made, which nobody
    /// said they were.
    package let units: KeypointUnits

    /// A pose from its joints.
    ///
    /// - Parameter canvas: the picture that pixels belong to, where `units` are not said.
    /// - Throws: `VisionError` `incompletePose` unless there are 18 joints, and 21 of a hand and 70 of a face or
    ///   none; `nonFinitePose` if a number is NaN or infinite; `emptyPose` if no joint of the body is present;
    ///   `unclearUnits` as `KeypointUnits.decided`.
    package init(
        _ points: [Keypoint], leftHand: [Keypoint] = [], rightHand: [Keypoint] = [],
        face: [Keypoint] = [], units: KeypointUnits = .unsaid, canvas: KeypointFrame? = nil
    ) throws {
        guard points.count == Keypoints.count else {
            throw VisionError(
                .incompletePose,
                "a pose has \(Keypoints.count) joints, not \(points.count)")
        }
        let parts = [
            ("the left hand", leftHand, Keypoints.handCount),
            ("the right hand", rightHand, Keypoints.handCount),
            ("the face", face, Keypoints.faceCount),
        ]
        for (name, part, count) in parts where !part.isEmpty && part.count != count {
            throw VisionError(
                .incompletePose, "\(name) of a pose has \(count) points or none, not \(part.count)")
        }
        for (name, part) in [("the pose", points)] + parts.map({ ($0.0, $0.1) }) {
            for (index, point) in part.enumerated() {
                guard point.x.isFinite, point.y.isFinite, point.confidence.isFinite else {
                    throw VisionError(
                        .nonFinitePose,
                        "joint \(index + 1) of \(name) has a value that is not a finite number")
                }
            }
        }
        let present = points.filter(\.isPresent)
        guard !present.isEmpty else {
            throw VisionError(
                .emptyPose,
                "none of the pose's \(Keypoints.count) joints is present: each is at (−1, −1) or of a "
                    + "confidence below \(Keypoint.leastConfidence)")
        }
        self.units = try units.decided(for: present, canvas: canvas)
        self.points = points
        self.leftHand = leftHand
        self.rightHand = rightHand
        self.face = face
    }

    /// How many points a face may have: those of the usual annotation, OpenPose's, and MediaPipe's mesh without and
    /// with irises.
    package static let faceCounts = [68, Keypoints.faceCount, 468, 478]

    /// The lengths of lists of joints whose layout is known: COCO, OpenPose's two, Halpe, MediaPipe, COCO-WholeBody
    /// and Halpe with hands and face.
    package static let detectedCounts = KeypointLayout.all.map(\.count)

    /// A pose from a detector's list of joints, whose layout its length tells, one of `detectedCounts`.
    ///
    /// - Parameter leftHand, rightHand, face: Where they are given, they replace those of the list. A face may have
    ///   68, 70, 468 or 478 points.
    /// - Throws: `incompletePose` for another length, and what the other initializer throws.
    package init(
        detected points: [Keypoint], leftHand: [Keypoint] = [], rightHand: [Keypoint] = [],
        face: [Keypoint] = [], units: KeypointUnits = .unsaid, canvas: KeypointFrame? = nil
    ) throws {
        let person = try KeypointLayout.person(points)
        try self.init(
            person.body, leftHand: leftHand.isEmpty ? person.leftHand : leftHand,
            rightHand: rightHand.isEmpty ? person.rightHand : rightHand,
            face: face.isEmpty ? person.face : try KeypointLayout.face(face), units: units,
            canvas: canvas)
    }

    private init(
        checked points: [Keypoint], leftHand: [Keypoint], rightHand: [Keypoint], face: [Keypoint],
        units: KeypointUnits
    ) {
        self.points = points
        self.leftHand = leftHand
        self.rightHand = rightHand
        self.face = face
        self.units = units
    }

    private init(unchecked other: Keypoints, units: KeypointUnits, _ map: (Keypoint) -> Keypoint) {
        self.init(
            checked: other.points.map(map), leftHand: other.leftHand.map(map),
            rightHand: other.rightHand.map(map), face: other.face.map(map), units: units)
    }

    /// The pose with its parts replaced by as many points.
    func with(
        points: [Keypoint], leftHand: [Keypoint], rightHand: [Keypoint], face: [Keypoint]
    ) -> Keypoints {
        Keypoints(
            checked: points, leftHand: leftHand, rightHand: rightHand, face: face, units: units)
    }

    /// The pose with every joint that is present moved; its coordinates are then measured in `units`.
    func moved(to units: KeypointUnits, _ move: (Keypoint) -> Keypoint) -> Keypoints {
        Keypoints(unchecked: self, units: units) { $0.isPresent ? move($0) : .absent }
    }

    /// The pose without the joints that are less certain than that. Throws `emptyPose`.
    package func atLeast(_ confidence: Double) throws -> Keypoints {
        let kept = Keypoints(unchecked: self, units: units) { $0.atLeast(confidence) }
        guard kept.points.contains(where: \.isPresent) else {
            throw VisionError(
                .emptyPose, "no joint of the pose has a confidence of \(confidence) or more")
        }
        return kept
    }

    /// How far outside the picture, in its sides, a joint may lie where nobody said what the pose is measured in.
    private static let slack = 0.25
    /// How far outside the picture, in its sides, a joint may lie at all.
    private static let farthest = 1000.0

    /// The pose in pixels of a picture of that size; absent joints are `.absent`.
    ///
    /// Throws `poseOutsidePicture` if nobody said what the pose is measured in and a joint does not fit
    /// the picture, or if one is 1000 sides away from it; `emptyPose` if no joint is in the picture.
    package func placed(width: Int, height: Int) throws -> Keypoints {
        let (width, height) = (Double(width), Double(height))
        let placed = moved(to: .pixels) { scaled($0, width: width, height: height) }
        let reach = units == .unsaid ? Keypoints.slack : Keypoints.farthest
        func lies(_ joint: Keypoint, within reach: Double) -> Bool {
            abs(joint.x - width / 2) <= (0.5 + reach) * width
                && abs(joint.y - height / 2) <= (0.5 + reach) * height
        }
        let all = placed.points + placed.leftHand + placed.rightHand + placed.face
        for (index, joint) in all.enumerated() where joint.isPresent {
            guard !lies(joint, within: reach) else { continue }
            throw VisionError(
                .poseOutsidePicture,
                "joint \(index + 1) of the pose, at (\(joint.x), \(joint.y)), does not fit the picture of "
                    + "\(Int(width)) × \(Int(height))"
                    + (units == .unsaid
                        ? "; say the size of the picture that the pose was measured in (--pose-size WxH)"
                        : ""))
        }
        guard placed.points.contains(where: { $0.isPresent && lies($0, within: 0) }) else {
            throw VisionError(.emptyPose, "no joint of the pose lies inside its picture")
        }
        return placed
    }

    /// The pose with its coordinates understood as pixels of a picture of that size, so that it can
    /// be drawn to one of another; a pose whose units are known keeps them.
    package func measured(inWidth width: Int, height: Int) -> Keypoints {
        guard units == .unsaid || units == .pixels,
            let canvas = KeypointUnits.canvas(width: Double(width), height: Double(height))
        else { return self }
        return Keypoints(unchecked: self, units: canvas) { $0 }
    }

    /// A pose in pixels of a picture, measured in the rectangle of it that becomes the picture that is made.
    package func seen(in region: PictureBox) -> Keypoints {
        let frame = KeypointFrame(
            left: Double(region.x), top: Double(region.y), width: Double(region.width),
            height: Double(region.height))
        return frame.map { frame in Keypoints(unchecked: self, units: .frame(frame)) { $0 } }
            ?? self
    }

    private func scaled(_ point: Keypoint, width: Double, height: Double) -> Keypoint {
        guard case .frame(let frame) = units else { return point }
        return Keypoint(
            x: (point.x - frame.left) / frame.width * width,
            y: (point.y - frame.top) / frame.height * height, confidence: point.confidence)
    }
}
