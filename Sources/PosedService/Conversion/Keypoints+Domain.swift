package import PosedErrors
package import PosedProtos
package import PosedVision

extension Posed_V1_Keypoints {
    /// The largest canvas that pixels are measured in, a side.
    private static let maxCanvas = 1 << 16

    /// The pose at `path`, brought to 18 joints. Throws `RequestError`.
    package func keypoints(at path: FieldPath) throws -> Keypoints {
        guard Keypoints.detectedCounts.contains(joints.count) else {
            let counts = Keypoints.detectedCounts.map { String($0) }.joined(separator: ", ")
            throw path.field("joints").refusal(expected: counts + " joints", got: joints.count)
        }
        let canvas = try canvas(at: path)
        let units: KeypointUnits
        switch space {
        case .unspecified:
            throw path.field("space").refusal(
                expected: "COORDINATE_SPACE_PIXELS or COORDINATE_SPACE_NORMALIZED", got: "nothing")
        case .pixels: units = canvas.map(KeypointUnits.frame) ?? .pixels
        case .normalized:
            guard canvas == nil else {
                throw path.field("canvas_width").refusal(
                    expected: "no canvas of normalized coordinates", got: canvasWidth)
            }
            units = .frame(.unit)
        case .UNRECOGNIZED(let number):
            throw path.field("space").refusal(expected: "a known space", got: number)
        }
        return try path.reading {
            try Keypoints(detected: joints.map(\.keypoint), units: units, canvas: canvas)
        }
    }

    /// The picture that pixels are measured in; nil for the one that is made.
    private func canvas(at path: FieldPath) throws -> KeypointFrame? {
        guard hasCanvasWidth || hasCanvasHeight else { return nil }
        let bounds = 1...Self.maxCanvas
        let width = try path.field("canvas_width").checked(canvasWidth, in: bounds)
        let height = try path.field("canvas_height").checked(canvasHeight, in: bounds)
        return KeypointFrame(width: Double(width), height: Double(height))
    }
}

extension Posed_V1_Keypoint {
    /// The joint; certain where nothing is said.
    fileprivate var keypoint: Keypoint {
        Keypoint(x: Double(x), y: Double(y), confidence: hasConfidence ? Double(confidence) : nil)
    }
}
