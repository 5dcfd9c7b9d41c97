package import Foundation

extension Keypoints {
    /// Parses a pose in JSON; `name` stands for the file in messages.
    ///
    /// Known are
    /// - OpenPose's `{"people": [{"pose_keypoints_2d": […]}]}` with 18 joints in COCO order or 25 in
    ///   BODY_25's, of which the first person counts; `canvas_width` and `canvas_height`, where
    ///   present, say what picture the pixels belong to;
    /// - a list of 18 joints `[x, y, confidence]` or `[x, y]`, or the same flat (54 numbers); `null`
    ///   for a joint or a coordinate is an absent joint, for a confidence an unstated one;
    /// - an object with such a list under `"keypoints"`.
    ///
    /// Throws `malformedPose`, or what `init(_:frame:)` throws.
    package init(json data: Data, name: String = "the pose", frame: KeypointFrame? = nil) throws {
        let root: JSONValue
        do {
            root = try JSONValue.parse(data)
        } catch {
            throw VisionError(.malformedPose, "\(name): this is not JSON", cause: error)
        }
        try self.init(root, name: name, frame: frame)
    }

    init(_ root: JSONValue, name: String, frame: KeypointFrame?) throws {
        do {
            if let people = root["people"] {
                let canvas = root["canvas_width"]?.double.flatMap { width in
                    root["canvas_height"]?.double.flatMap { height in
                        KeypointFrame(width: width, height: height)
                    }
                }
                let points = try Keypoints.openPose(people)
                let isUnit = points.filter(\.isPresent).allSatisfy { $0.x <= 1 && $0.y <= 1 }
                try self.init(points, frame: frame ?? (isUnit ? nil : canvas))
            } else {
                try self.init(
                    try Keypoints.list(root["keypoints"] ?? root), frame: frame)
            }
        } catch let error as VisionError {
            throw VisionError(error.code, "\(name): \(error.message)", cause: error.cause)
        }
    }

    private static func openPose(_ people: JSONValue) throws -> [Keypoint] {
        guard let person = people.elements?.first else {
            throw VisionError(
                .emptyPose, "a person was expected under \"people\", there is none")
        }
        guard let values = (person["pose_keypoints_2d"] ?? person["pose_keypoints"])?.elements
        else {
            throw VisionError(
                .malformedPose, "the first person has no list \"pose_keypoints_2d\"")
        }
        let points = try flat(values)
        switch points.count {
        case Keypoints.count: return points
        case body25Count: return coco(body25: points)
        default:
            throw VisionError(
                .incompletePose,
                "\"pose_keypoints_2d\" should hold 18 joints or 25, of 3 numbers each, "
                    + "not \(values.count) numbers")
        }
    }

    private static func list(_ value: JSONValue) throws -> [Keypoint] {
        guard let entries = value.elements else {
            throw VisionError(
                .malformedPose,
                "a list of 18 joints or an object with \"people\" was expected, not \(value.kind)")
        }
        if entries.count == 3 * Keypoints.count, entries.allSatisfy({ $0.elements == nil }) {
            return try flat(entries)
        }
        return try entries.enumerated().map { index, entry in
            if entry.isNull { return .absent }
            guard let numbers = entry.elements, numbers.count == 2 || numbers.count == 3 else {
                throw VisionError(
                    .malformedPose,
                    "joint \(index + 1) should be [x, y, confidence], not \(entry.kind)")
            }
            return try joint(numbers, index)
        }
    }

    private static func flat(_ values: [JSONValue]) throws -> [Keypoint] {
        guard values.count % 3 == 0 else {
            throw VisionError(
                .incompletePose,
                "joints of 3 numbers each were expected, not \(values.count) numbers")
        }
        return try stride(from: 0, to: values.count, by: 3).map { start in
            try joint(Array(values[start..<(start + 3)]), start / 3)
        }
    }

    /// A joint from its two or three values; a null coordinate makes it absent.
    private static func joint(_ values: [JSONValue], _ index: Int) throws -> Keypoint {
        if values[0].isNull || values[1].isNull { return .absent }
        let confidence = values.count < 3 || values[2].isNull ? .number(1) : values[2]
        guard let x = values[0].double, let y = values[1].double, let sure = confidence.double
        else {
            throw VisionError(
                .malformedPose, "joint \(index + 1) has a value that is not a number")
        }
        return Keypoint(x: x, y: y, confidence: sure)
    }
}

extension Keypoints: Decodable {
    /// A pose from any of the JSON forms, where it stands inside a larger document.
    package init(from decoder: any Decoder) throws {
        try self.init(try JSONValue(from: decoder), name: "the pose", frame: nil)
    }
}
