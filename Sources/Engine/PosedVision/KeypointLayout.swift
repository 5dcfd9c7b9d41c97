/// Where a detector's list of points has the 18 joints of a pose, the hands and the face.
///
/// The count of points tells the layouts apart. Neither COCO nor MediaPipe have a neck: it is the middle of the
/// shoulders.
struct KeypointLayout {
    /// What messages call it.
    let name: String
    /// How many points it has.
    let count: Int
    /// The place of each of the 18 joints; nil for the neck between the shoulders.
    let body: [Int?]
    /// Where the hands begin, the left one and the right one; 21 joints each.
    var hands: (left: Int, right: Int)?
    /// Where the face's 68 points begin.
    var face: Int?

    private static let coco: [Int?] = [
        0, nil, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3,
    ]

    /// All layouts that are known.
    static let all = [
        KeypointLayout(name: "COCO", count: 17, body: coco),
        KeypointLayout(name: "OpenPose", count: 18, body: Array(0..<18)),
        KeypointLayout(
            name: "BODY_25", count: 25,
            body: [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]),
        KeypointLayout(name: "Halpe", count: 26, body: coco),
        KeypointLayout(
            name: "MediaPipe Pose", count: 33,
            body: [0, nil, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7]),
        KeypointLayout(
            name: "COCO-WholeBody", count: 133, body: coco, hands: (91, 112), face: 23),
        KeypointLayout(name: "Halpe", count: 136, body: coco, hands: (94, 115), face: 26),
    ]

    /// The counts of all layouts, for messages.
    static let counts = all.map { String($0.count) }.joined(separator: ", ")

    /// The layout of so many points.
    static func of(_ count: Int) -> KeypointLayout? { all.first { $0.count == count } }

    /// The person that a list of points in a known layout describes. Throws `incompletePose`.
    static func person(_ points: [Keypoint]) throws -> PosePerson {
        guard let layout = of(points.count) else {
            throw VisionError(
                .incompletePose,
                "a list of \(counts) joints was expected, not of \(points.count)")
        }
        var person = PosePerson(
            body: layout.body.map { place in
                place.map { points[$0] } ?? .absent
            })
        if layout.body[1] == nil { person.addNeck() }
        if let hands = layout.hands {
            person.leftHand = Array(points[hands.left..<(hands.left + Keypoints.handCount)])
            person.rightHand = Array(points[hands.right..<(hands.right + Keypoints.handCount)])
        }
        if let start = layout.face {
            person.face = try face(Array(points[start..<(start + 68)]))
        }
        return person
    }

    /// OpenPose's 70 points of a face, from 70, 68, or the 468 or 478 of MediaPipe's mesh. None where no point
    /// is there. Throws `incompletePose` for another number.
    static func face(_ points: [Keypoint]) throws -> [Keypoint] {
        switch points.count {
        case 0, Keypoints.faceCount: return points
        case 68:
            return points + [center(of: points[36..<42]), center(of: points[42..<48])]
        case 468: return try face(mesh.map { points[$0] })
        case 478: return mesh.map { points[$0] } + irises.map { points[$0] }
        default:
            throw VisionError(
                .incompletePose,
                "a face has 68, 70, 468 or 478 points, not \(points.count)")
        }
    }

    /// The mean place of points, as certain as the least certain of them; absent unless all are there.
    private static func center(of points: ArraySlice<Keypoint>) -> Keypoint {
        guard points.allSatisfy(\.isPresent) else { return .absent }
        let count = Double(points.count)
        return Keypoint(
            x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count,
            confidence: points.reduce(.infinity) { min($0, $1.confidence) })
    }

    /// The points of MediaPipe's face mesh at the places of the 68: the outline from the right ear over the
    /// chin to the left one, brows, nose, eyes, lips. Right and left are mirror images of each other.
    static let mesh = [
        127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356,
        70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
        168, 197, 5, 4, 98, 97, 2, 326, 327,
        33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
        61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
        78, 81, 13, 311, 308, 402, 14, 178,
    ]

    /// The centres of the right and the left iris in MediaPipe's refined mesh.
    static let irises = [468, 473]
}

/// A person as a file has it, before it is known what the coordinates are measured in.
struct PosePerson {
    /// The 18 joints.
    var body: [Keypoint]
    /// None, or 21.
    var leftHand: [Keypoint] = []
    /// None, or 21.
    var rightHand: [Keypoint] = []
    /// None, or 70.
    var face: [Keypoint] = []

    /// Puts the neck between the shoulders.
    mutating func addNeck() { body[1] = body[2].middle(to: body[5]) }

    /// The person without the points that are less certain than that.
    func atLeast(_ confidence: Double) -> PosePerson {
        func kept(_ points: [Keypoint]) -> [Keypoint] {
            // A confidence that is no number stays, so that it is refused.
            points.map { $0.confidence < confidence ? .absent : $0 }
        }
        func part(_ points: [Keypoint]) -> [Keypoint] {
            let points = kept(points)
            return points.contains { $0.confidence != 0 } ? points : []
        }
        return PosePerson(
            body: kept(body), leftHand: part(leftHand), rightHand: part(rightHand),
            face: part(face))
    }

    /// How much of a person it is: the sum of the confidences, up to 1 each, times the diagonal of the box around
    /// the joints; 0 for nobody.
    var weight: Double {
        let joints = body.filter(\.isPresent)
        guard let first = joints.first else { return 0 }
        var (left, right, top, bottom) = (first.x, first.x, first.y, first.y)
        var certainty = 0.0
        for joint in joints {
            (left, right) = (min(left, joint.x), max(right, joint.x))
            (top, bottom) = (min(top, joint.y), max(bottom, joint.y))
            certainty += min(joint.confidence, 1)
        }
        let (width, height) = (right - left, bottom - top)
        // Joints in one place are somebody too.
        return certainty * max((width * width + height * height).squareRoot(), 1e-9)
    }
}

/// The people of one picture, as a file has them.
struct PosePicture {
    /// The people in the file's order; nil for one whom the detector gave up.
    var people: [PosePerson?]
    /// The picture that pixels belong to, where the file says.
    var canvas: KeypointFrame?
    /// What the format says that coordinates are measured in.
    var units = KeypointUnits.unsaid
    /// Whether the person has been chosen already.
    var isChosen = false

    /// The pose that counts: of the person chosen, else of the most certain and largest one.
    ///
    /// - Returns: nil where that person is not there.
    /// - Throws: `VisionError` for numbers that make no pose, and for a person who is not chosen by number.
    func pose(_ reading: PoseReading) throws -> Keypoints? {
        let people = people.map { $0?.atLeast(reading.minConfidence) }
        let chosen: PosePerson?
        if !isChosen, let number = try reading.number {
            chosen = number <= people.count ? people[number - 1] : nil
        } else {
            // Of equals the first.
            chosen = people.compactMap { $0 }.reversed().max { $0.weight < $1.weight }
        }
        guard let chosen, chosen.body.contains(where: { $0.confidence != 0 }) else { return nil }
        return try Keypoints(
            chosen.body, leftHand: chosen.leftHand, rightHand: chosen.rightHand,
            face: chosen.face, units: reading.units == .unsaid ? units : reading.units,
            canvas: canvas)
    }
}
