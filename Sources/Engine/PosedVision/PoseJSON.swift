import Foundation
import PosedBase

/// The JSON of detectors and editors: OpenPose, ComfyUI and DWPose, MMPose, AlphaPose, Ultralytics, COCO,
/// openpose-editor, MediaPipe, and plain lists. Each is told by its keys, and lists of joints by their length
/// (`KeypointLayout`).
enum PoseJSON {
    /// The pictures that a file in JSON speaks of, one for each frame. Throws `VisionError`.
    static func pictures(_ data: Data) throws -> [PosePicture] {
        // Python's printed dictionaries look like JSON, and the lenient parser would read them.
        guard data.first(where: { [0x22, 0x27].contains($0) }) != 0x27 else {
            throw VisionError(
                .malformedPose,
                "this is not JSON: its texts stand in single quotes, as Python prints them")
        }
        let root: JSONValue
        do {
            root = try JSONValue(parsing: data, allowsNonFinite: true)
        } catch {
            throw VisionError(.malformedPose, "this is not JSON", cause: error)
        }
        if let frames = root["instance_info"]?.elements { return try detections(frames) }
        if let entries = root["annotations"]?.elements {
            return try grouped(entries, sizes: root["images"]?.elements ?? [])
        }
        if case .array(let elements) = root { return try list(elements) }
        return [try picture(root)]
    }

    /// One picture that an object speaks of.
    static func picture(_ root: JSONValue) throws -> PosePicture {
        if let people = root["people"] {
            guard let people = people.elements else {
                throw VisionError(
                    .malformedPose,
                    "a list of people was expected under \"people\", not \(people.kind)")
            }
            return PosePicture(
                people: try numbered(people, openPose),
                canvas: try canvas(root, "canvas_width", "canvas_height"))
        }
        if let landmarks = try landmarks(root) { return landmarks }
        if let instances = root["instances"]?.elements {
            return PosePicture(people: try numbered(instances, detection))
        }
        guard let keypoints = root["keypoints"] else {
            throw VisionError(
                .malformedPose,
                "a list of joints, or an object with \"people\", \"keypoints\", \"instances\" or "
                    + "landmarks was expected, not \(root.kind)")
        }
        let canvas = try canvas(root, "width", "height")
        // Editors keep a list of people, each a list of joints.
        if let people = keypoints.elements, isNested(people.first) {
            return PosePicture(people: try numbered(people) { try person($0) }, canvas: canvas)
        }
        return PosePicture(people: [try detection(root)], canvas: canvas)
    }

    /// Whether a value is a list of lists.
    private static func isNested(_ value: JSONValue?) -> Bool {
        value?.elements?.contains { $0.elements != nil } ?? false
    }

    /// What a bare list speaks of: joints, people, or frames.
    private static func list(_ elements: [JSONValue]) throws -> [PosePicture] {
        switch elements.first(where: { !$0.isNull }) {
        case .array(let inner)?:
            if inner.first?["x"] != nil {
                return [
                    PosePicture(
                        people: try numbered(elements) { try person($0) }, units: .frame(.unit))
                ]
            }
            guard isNested(.array(inner)) else { fallthrough }
            return try numbered(elements) { PosePicture(people: [try person($0)]) }
        case nil, .integer?, .number?:
            return [PosePicture(people: [try person(.array(elements))])]
        case .some(let first):
            guard case .object = first else {
                throw VisionError(
                    .malformedPose,
                    "a list of joints, people or frames was expected, not one of "
                        + first.kind)
            }
            if first["x"] != nil, first["y"] != nil {
                return [
                    PosePicture(
                        people: [try person(.array(elements))],
                        units: first["score"] == nil ? .frame(.unit) : .unsaid)
                ]
            }
            if first["image_id"] != nil { return try grouped(elements, sizes: []) }
            let isFrame = ["people", "instances"].contains { first[$0] != nil }
            if try isFrame || landmarks(first) != nil {
                return try numbered(elements) {
                    $0.isNull ? PosePicture(people: []) : try picture($0)
                }
            }
            return [PosePicture(people: try numbered(elements, detection))]
        }
    }

    /// Does the same for each entry; what is wrong is told with its number.
    private static func numbered<Value>(
        _ entries: [JSONValue], _ read: (JSONValue) throws -> Value
    ) throws -> [Value] {
        try entries.enumerated().map { index, entry in
            do {
                return try read(entry)
            } catch let error as VisionError where entries.count > 1 {
                throw VisionError(
                    error.code, "entry \(index + 1): \(error.message)", cause: error.cause)
            }
        }
    }

    // MARK: OpenPose

    /// A person of OpenPose's JSON; nil for one who is null.
    private static func openPose(_ person: JSONValue) throws -> PosePerson? {
        if person.isNull { return nil }
        guard case .object = person else {
            throw VisionError(.malformedPose, "a person should be an object, not \(person.kind)")
        }
        guard let body = person["pose_keypoints_2d"] ?? person["pose_keypoints"] else {
            throw VisionError(.malformedPose, "a person has no list \"pose_keypoints_2d\"")
        }
        let joints = try joints(body)
        guard !joints.isEmpty else { return nil }
        var made = try KeypointLayout.person(joints)
        func part(_ key: String) throws -> [Keypoint] {
            try person[key].map { try self.joints($0) } ?? []
        }
        made.leftHand = try hand(try part("hand_left_keypoints_2d"))
        made.rightHand = try hand(try part("hand_right_keypoints_2d"))
        made.face = try KeypointLayout.face(try part("face_keypoints_2d"))
        return made
    }

    private static func hand(_ joints: [Keypoint]) throws -> [Keypoint] {
        guard joints.isEmpty || joints.count == Keypoints.handCount else {
            throw VisionError(
                .incompletePose, "a hand has \(Keypoints.handCount) joints, not \(joints.count)")
        }
        return joints
    }

    /// The frame of a picture whose size an object tells.
    private static func canvas(
        _ root: JSONValue, _ width: String, _ height: String
    ) throws -> KeypointFrame? {
        func side(_ key: String) throws -> Double? {
            guard let value = root[key], !value.isNull else { return nil }
            guard let side = value.double ?? value.text.flatMap(Double.init), side.isFinite,
                side > 0
            else {
                throw VisionError(
                    .malformedPose,
                    "\(key) should be a number of pixels above 0, not "
                        + (value.double.map { "\($0)" } ?? value.kind))
            }
            return side
        }
        guard let width = try side(width), let height = try side(height) else { return nil }
        return KeypointFrame(width: width, height: height)
    }

    // MARK: MMPose, AlphaPose, Ultralytics, COCO

    /// Detections of one picture, or frames of them.
    private static func detections(_ entries: [JSONValue]) throws -> [PosePicture] {
        guard entries.contains(where: { $0["instances"] != nil }) else {
            return [PosePicture(people: try numbered(entries, detection))]
        }
        return try numbered(entries) { try picture($0) }
    }

    /// Detections that name their picture, frame after frame in the order of the first ones.
    private static func grouped(
        _ entries: [JSONValue], sizes: [JSONValue]
    ) throws -> [PosePicture] {
        var places: [String: Int] = [:]
        var canvases: [String: KeypointFrame] = [:]
        for size in sizes {
            guard let name = name(size["id"]) else { continue }
            canvases[name] = try canvas(size, "width", "height")
        }
        var pictures: [PosePicture] = []
        for (entry, person) in zip(entries, try numbered(entries, detection)) {
            guard let name = name(entry["image_id"]) else {
                throw VisionError(
                    .malformedPose, "each detection should have an \"image_id\", one has none")
            }
            if places[name] == nil {
                places[name] = pictures.count
                pictures.append(PosePicture(people: [], canvas: canvases[name]))
            }
            if let place = places[name] { pictures[place].people.append(person) }
        }
        return pictures
    }

    /// A picture's name: a text, or a number.
    private static func name(_ value: JSONValue?) -> String? {
        value?.text ?? value?.double.map { "\($0)" }
    }

    /// A detection: `keypoints`, and perhaps their scores beside them; nil where it has no joints. Hands and face as
    /// `posekit eval` has them in `hands` and `face`.
    private static func detection(_ entry: JSONValue) throws -> PosePerson? {
        guard let keypoints = entry["keypoints"] else {
            if case .object = entry { return nil }
            throw VisionError(.malformedPose, "a detection should be an object, not \(entry.kind)")
        }
        if keypoints.isNull || keypoints.elements?.isEmpty == true { return nil }
        if keypoints["x"] != nil { return try columns(keypoints) }
        var made = try person(keypoints, scores: entry["keypoint_scores"]?.elements)
        if let hands = entry["hands"], !hands.isNull {
            guard let pair = hands.elements, pair.count == 2 else {
                throw VisionError(
                    .malformedPose,
                    "\"hands\" should be a list of the left and the right one, not \(hands.kind)")
            }
            made.leftHand = try hand(try joints(pair[0]))
            made.rightHand = try hand(try joints(pair[1]))
        }
        if let face = entry["face"] { made.face = try KeypointLayout.face(try joints(face)) }
        return made
    }

    /// Joints as Ultralytics writes them: a list of each coordinate.
    private static func columns(_ keypoints: JSONValue) throws -> PosePerson? {
        let sure = (keypoints["visible"] ?? keypoints["confidence"])?.elements
        guard let x = keypoints["x"]?.elements, let y = keypoints["y"]?.elements,
            x.count == y.count, sure == nil || sure?.count == x.count
        else {
            throw VisionError(
                .malformedPose, "\"keypoints\" should hold lists x, y and visible of one length")
        }
        return try KeypointLayout.person(
            try x.indices.map { index in
                try joint([x[index], y[index]] + (sure.map { [$0[index]] } ?? []), index)
            })
    }

    // MARK: MediaPipe

    /// The people of MediaPipe's landmarks, Pose or Holistic; nil for an object without them.
    private static func landmarks(_ root: JSONValue) throws -> PosePicture? {
        let keys = ["pose_landmarks", "poseLandmarks", "landmarks", "landmark"]
        guard let key = keys.first(where: { root[$0] != nil }), let body = root[key] else {
            return nil
        }
        var people: [PosePerson?] = try landmarkLists(body).map { try person(.array($0)) }
        func part(_ snake: String, _ camel: String) throws -> [Keypoint] {
            guard let value = root[snake] ?? root[camel], !value.isNull else { return [] }
            return try landmarkLists(value).first.map { try joints(.array($0)) } ?? []
        }
        // Hands and face are of the one person that Holistic follows.
        if people.count == 1, var first = people[0] {
            first.leftHand = try hand(try part("left_hand_landmarks", "leftHandLandmarks"))
            first.rightHand = try hand(try part("right_hand_landmarks", "rightHandLandmarks"))
            first.face = try KeypointLayout.face(try part("face_landmarks", "faceLandmarks"))
            people[0] = first
        }
        return PosePicture(people: people, units: .frame(.unit))
    }

    /// The lists of landmarks in any of their wrappings: one, one for each person, or none.
    private static func landmarkLists(_ value: JSONValue) throws -> [[JSONValue]] {
        if value.isNull { return [] }
        guard let elements = (value["landmark"] ?? value["landmarks"] ?? value).elements else {
            throw VisionError(
                .malformedPose, "a list of landmarks was expected, not \(value.kind)")
        }
        guard let first = elements.first else { return [] }
        if first["x"] != nil { return [elements] }
        if isJoint(first) { return [elements] }
        return try elements.flatMap { try landmarkLists($0) }
    }

    /// Whether a value is a list of numbers.
    private static func isJoint(_ value: JSONValue) -> Bool {
        value.elements?.first?.double != nil
    }

    // MARK: Joints

    /// A person from a list of joints in any known layout.
    private static func person(
        _ list: JSONValue, scores: [JSONValue]? = nil
    ) throws -> PosePerson {
        var joints = try joints(list)
        if let scores {
            guard scores.count == joints.count else {
                throw VisionError(
                    .malformedPose,
                    "\(joints.count) \"keypoint_scores\" were expected, not \(scores.count)")
            }
            for (index, score) in scores.enumerated() {
                guard let score = score.double else {
                    throw VisionError(
                        .malformedPose, "keypoint score \(index + 1) is \(score.kind), not a number"
                    )
                }
                joints[index].confidence = score
            }
        }
        return try KeypointLayout.person(joints)
    }

    /// Joints from a list of them, or from a flat list of numbers; none from `null`.
    private static func joints(_ value: JSONValue) throws -> [Keypoint] {
        if value.isNull { return [] }
        guard let entries = value.elements else {
            throw VisionError(.malformedPose, "a list of joints was expected, not \(value.kind)")
        }
        let isFlat = entries.contains { $0.double != nil }
        guard isFlat else {
            return try entries.enumerated().map { index, entry in
                if entry.isNull { return .absent }
                if let x = entry["x"], let y = entry["y"] {
                    let sure = entry["visibility"] ?? entry["score"] ?? entry["confidence"]
                    return try joint([x, y] + (sure.map { [$0] } ?? []), index)
                }
                guard let numbers = entry.elements, (2...4).contains(numbers.count) else {
                    throw VisionError(
                        .malformedPose,
                        "joint \(index + 1) should be [x, y, confidence], not \(entry.kind)")
                }
                // Of four the third is a depth.
                return try joint(
                    numbers.count == 4 ? [0, 1, 3].map { numbers[$0] } : numbers, index)
            }
        }
        let step = try stride(of: entries.count)
        return try Swift.stride(from: 0, to: entries.count, by: step).map { start in
            let kept = step == 4 ? [0, 1, 3] : Array(0..<step)
            return try joint(kept.map { entries[start + $0] }, start / step)
        }
    }

    /// How many numbers of a flat list are a joint.
    private static func stride(of count: Int) throws -> Int {
        func makes(_ step: Int) -> Bool {
            guard count % step == 0 else { return false }
            return KeypointLayout.of(count / step) != nil
                || [Keypoints.handCount, Keypoints.faceCount, 68].contains(count / step)
        }
        if let step = [3, 2, 4].first(where: makes) { return step }
        guard count % 3 == 0 else {
            throw VisionError(
                .incompletePose, "joints of 3 numbers each were expected, not \(count) numbers")
        }
        return 3
    }

    /// A joint from its two or three values; a null coordinate makes it absent, a null confidence an unstated one.
    private static func joint(_ values: [JSONValue], _ index: Int) throws -> Keypoint {
        if values[0].isNull || values[1].isNull { return .absent }
        let sure = values.count < 3 || values[2].isNull ? nil : values[2]
        guard let x = values[0].double, let y = values[1].double,
            sure == nil || sure?.double != nil
        else {
            throw VisionError(
                .malformedPose, "joint \(index + 1) has a value that is not a number")
        }
        return Keypoint(x: x, y: y, confidence: sure?.double)
    }
}

extension Keypoints: Decodable {
    /// A pose from an object with `keypoints`, and perhaps `hands` and `face`, that may hold other things as well.
    package init(from decoder: any Decoder) throws {
        let picture = try PoseJSON.picture(try JSONValue(from: decoder))
        guard let pose = try picture.pose(PoseReading()) else {
            throw VisionError(.emptyPose, "none of the pose's joints is present")
        }
        self = pose
    }
}
