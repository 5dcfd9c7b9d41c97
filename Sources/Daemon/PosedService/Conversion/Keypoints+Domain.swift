package import PosedErrors
package import PosedProtos
package import PosedVision

extension Posed_V1_Keypoints {
    /// The pose at `path`, brought to 18 joints, with hands and face where they came. Throws `RequestError`.
    package func keypoints(at path: FieldPath) throws -> Keypoints {
        guard Keypoints.detectedCounts.contains(joints.count) else {
            let counts = Keypoints.detectedCounts.map { String($0) }.joined(separator: ", ")
            throw path.field("joints").refusal(expected: counts + " joints", got: joints.count)
        }
        for (name, hand) in [("left_hand", leftHand), ("right_hand", rightHand)]
        where !hand.isEmpty && hand.count != Keypoints.handCount {
            throw path.field(name).refusal(
                expected: "\(Keypoints.handCount) joints, or none", got: hand.count)
        }
        guard face.isEmpty || Keypoints.faceCounts.contains(face.count) else {
            let counts = Keypoints.faceCounts.map { String($0) }.joined(separator: ", ")
            throw path.field("face").refusal(expected: counts + " points, or none", got: face.count)
        }
        guard
            let units = try space.units(
                width: hasCanvasWidth ? canvasWidth : nil,
                height: hasCanvasHeight ? canvasHeight : nil, at: path)
        else {
            throw path.field("space").refusal(
                expected: "COORDINATE_SPACE_PIXELS or COORDINATE_SPACE_NORMALIZED",
                got: "nothing")
        }
        return try path.reading {
            try Keypoints(
                detected: joints.map(\.keypoint), leftHand: leftHand.map(\.keypoint),
                rightHand: rightHand.map(\.keypoint), face: face.map(\.keypoint), units: units)
        }
    }
}

extension Posed_V1_PoseReading {
    /// The longest name of an annotation line, in characters.
    private static let maxName = 256

    /// How a file is read. Throws `RequestError`.
    func reading(at path: FieldPath) throws -> PoseReading {
        guard person.count <= Self.maxName else {
            throw path.field("person").refusal(
                expected: "a number, or a name of at most \(Self.maxName) characters",
                got: person.count)
        }
        let units = try space.units(
            width: hasCanvasWidth ? canvasWidth : nil,
            height: hasCanvasHeight ? canvasHeight : nil, at: path)
        if hasMinConfidence, !(minConfidence >= 0 && minConfidence <= 1) {
            throw path.field("min_confidence").refusal(
                expected: "a number from 0 to 1", got: minConfidence)
        }
        return PoseReading(
            person: person.isEmpty ? nil : person, units: units ?? .unsaid,
            minConfidence: hasMinConfidence ? minConfidence : Keypoint.leastConfidence)
    }
}

extension Posed_V1_CoordinateSpace {
    /// The largest canvas that pixels are measured in, a side.
    private static let maxCanvas = 1 << 16

    /// The units of coordinates in the space, whose fields are at `path`; nil where nothing is said. Throws
    /// `RequestError`.
    fileprivate func units(
        width: Int32?, height: Int32?, at path: FieldPath
    ) throws -> KeypointUnits? {
        guard self == .pixels || width == nil && height == nil else {
            throw path.field("canvas_width").refusal(
                expected: self == .unspecified
                    ? "no canvas without COORDINATE_SPACE_PIXELS"
                    : "no canvas of normalized coordinates", got: width ?? 0)
        }
        switch self {
        case .unspecified: return nil
        case .pixels:
            if width == nil, height == nil { return .pixels }
            let bounds = 1...Self.maxCanvas
            let width = try path.field("canvas_width").checked(width ?? 0, in: bounds)
            let height = try path.field("canvas_height").checked(height ?? 0, in: bounds)
            return .canvas(width: Double(width), height: Double(height))
        case .normalized: return .frame(.unit)
        case .normalizedSigned: return .frame(.signed)
        case .UNRECOGNIZED(let number):
            throw path.field("space").refusal(expected: "a known space", got: number)
        }
    }
}

extension Posed_V1_Keypoint {
    /// The joint; certain where nothing is said, unless it is at (0, 0).
    fileprivate var keypoint: Keypoint {
        Keypoint(
            x: Double(x), y: Double(y), confidence: hasConfidence ? Double(confidence) : nil)
    }
}
