import Foundation

/// The binary `.pose` files of sign-language-processing/pose, versions 0.0, 0.1 and 0.2, little-endian.
///
///     float version; u16 width, height, depth; u16 components
///     component: text name, format ("XYC", "XYZC"); u16 points, limbs, colours; texts of the points' names;
///                2 × u16 a limb; 3 × u16 a colour           (text: u16 length, bytes)
///     0.0:  u16 rate, frames; a frame: u16 people; a person: i16 id, then the points of each component as its
///           format says, confidence last
///     0.1:  u16 rate, frames (modulo 65536), people; data [frames, people, points, dimensions], then
///           confidences [frames, people, points]
///     0.2:  float rate, u32 frames, u16 people; the same
///
/// Joints are found by the names of components and points, so files with some of MediaPipe's points only are read
/// too. Coordinates are pixels of width × height.
struct PoseBinary {
    /// The pose of each frame; nil where nobody is there.
    let frames: [Keypoints?]
    /// Frames a second; nil where it makes no sense.
    let rate: Double?

    /// Whether data begins with the version of a known header.
    static func looksLike(_ data: Data) -> Bool {
        data.count >= 12 && versions.contains { data.starts(with: $0.bytes) }
    }

    private enum Version { case frames, tensors, longTensors }

    /// 0, 0.1 and 0.2 as floats.
    private static let versions: [(bytes: [UInt8], version: Version)] = [
        ([0, 0, 0, 0], .frames), ([0xCD, 0xCC, 0xCC, 0x3D], .tensors),
        ([0xCD, 0xCC, 0x4C, 0x3E], .longTensors),
    ]

    /// Reads a file, frame after frame: no more than one frame's people are held at a time.
    ///
    /// Throws `VisionError` `malformedPose` for one that is cut short or contradicts itself, and what
    /// `PosePicture.pose` throws.
    init(_ data: Data, reading: PoseReading) throws {
        guard let version = PoseBinary.versions.first(where: { data.starts(with: $0.bytes) }) else {
            throw VisionError(.malformedPose, "this is no .pose file of version 0.0, 0.1 or 0.2")
        }
        var reader = Reader(data)
        try reader.skip(4)
        let (width, height, _) = (try reader.count(), try reader.count(), try reader.count())
        let components = try (0..<(try reader.count())).map { _ in try Component(&reader) }
        let points = components.reduce(0) { $0 + $1.points.count }
        guard points > 0 else {
            throw VisionError(.malformedPose, "the .pose file has no points")
        }
        let selection = Selection(components)
        guard selection.body.contains(where: { $0 != nil }) else {
            let names = components.prefix(8).map { $0.name.prefix(40) }.joined(separator: ", ")
            throw VisionError(
                .malformedPose,
                "the .pose file has no joints of a body that are known, only \(names)")
        }
        let canvas = KeypointFrame(width: Double(width), height: Double(height))
        let rate: Double
        switch version.version {
        case .frames:
            rate = Double(try reader.count())
            frames = try PoseBinary.frames(
                try reader.count(), components, selection, &reader
            ) { try PosePicture(people: $0, canvas: canvas).pose(reading) }
        case .tensors, .longTensors:
            let isLong = version.version == .longTensors
            rate = isLong ? Double(try reader.float()) : Double(try reader.count())
            let declared = isLong ? try reader.long() : try reader.count()
            let dimensions = components.map(\.size).max().map { $0 - 1 } ?? 0
            let tensors = try Tensors(
                frames: declared, people: try reader.count(), points: points,
                dimensions: dimensions, wraps: !isLong, &reader)
            frames = try (0..<tensors.frames).map { frame in
                let people = (0..<tensors.people).map { person in
                    selection.person { tensors.point(frame, person, $0) }
                }
                return try PosePicture(people: people, canvas: canvas).pose(reading)
            }
        }
        self.rate = rate.isFinite && rate > 0 && rate <= 1000 ? rate : nil
    }

    /// The frames of version 0.0, whose people differ in number.
    private static func frames(
        _ count: Int, _ components: [Component], _ selection: Selection, _ reader: inout Reader,
        _ pose: ([PosePerson]) throws -> Keypoints?
    ) throws -> [Keypoints?] {
        var places: [(offset: Int, size: Int)] = []
        var size = 0
        for component in components {
            for _ in component.points {
                places.append((size, component.size))
                size += 4 * component.size
            }
        }
        return try (0..<count).map { _ in
            let people = try (0..<(try reader.count())).map { _ in
                try reader.skip(2)
                let start = reader.position
                try reader.skip(size)
                return selection.person { point in
                    let (offset, size) = places[point]
                    return Keypoint(
                        x: Double(reader.float(at: start + offset)),
                        y: Double(reader.float(at: start + offset + 4)),
                        confidence: Double(reader.float(at: start + offset + 4 * (size - 1))))
                }
            }
            return try pose(people)
        }
    }
}

// MARK: - Bytes

/// Numbers out of a file, none from beyond its end.
private struct Reader {
    private let data: Data
    private(set) var position = 0

    init(_ data: Data) { self.data = Data(data) }

    var left: Int { data.count - position }

    mutating func skip(_ count: Int) throws {
        guard count <= left else {
            throw VisionError(
                .malformedPose,
                "the .pose file is cut short: \(count) bytes more were expected at byte \(position), "
                    + "there are \(left)")
        }
        position += count
    }

    private mutating func load<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        let start = position
        try skip(MemoryLayout<Value>.size)
        return data.withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: type))
        }
    }

    mutating func count() throws -> Int { Int(try load(UInt16.self)) }
    mutating func long() throws -> Int { Int(try load(UInt32.self)) }
    mutating func float() throws -> Float { Float(bitPattern: try load(UInt32.self)) }

    mutating func text() throws -> String {
        let length = try count()
        let start = position
        try skip(length)
        return String(decoding: data[start..<(start + length)], as: UTF8.self)
    }

    /// The number at a place that has been skipped.
    func float(at place: Int) -> Float {
        data.withUnsafeBytes {
            Float(
                bitPattern: UInt32(
                    littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        }
    }
}

/// The numbers of versions 0.1 and 0.2.
private struct Tensors {
    let frames: Int
    let people: Int
    private let points: Int
    private let dimensions: Int
    private let start: Int
    private let reader: Reader

    init(
        frames declared: Int, people: Int, points: Int, dimensions: Int, wraps: Bool,
        _ reader: inout Reader
    ) throws {
        // At most 2¹⁶ people, 2³² points and 2¹⁶ dimensions: the product fits.
        let frameSize = people * points * (dimensions + 1) * 4
        var frames = declared
        if wraps, frameSize > 0 {
            let found = reader.left / frameSize
            if found > declared, (found - declared) % 65536 == 0 { frames = found }
        }
        guard frames <= PoseSequence.frameLimit else {
            throw VisionError(
                .malformedPose,
                "at most \(PoseSequence.frameLimit) frames were expected, not \(frames)")
        }
        start = reader.position
        (self.frames, self.people, self.points) = (frames, people, points)
        self.dimensions = dimensions
        let (size, overflows) = frames.multipliedReportingOverflow(by: frameSize)
        guard !overflows else {
            throw VisionError(
                .malformedPose, "the .pose file claims more numbers than there can be")
        }
        try reader.skip(size)
        self.reader = reader
    }

    func point(_ frame: Int, _ person: Int, _ point: Int) -> Keypoint {
        let index = (frame * people + person) * points + point
        let place = start + 4 * index * dimensions
        let sure = start + 4 * (frames * people * points * dimensions + index)
        return Keypoint(
            x: Double(reader.float(at: place)), y: Double(reader.float(at: place + 4)),
            confidence: Double(reader.float(at: sure)))
    }
}

// MARK: - Names

/// A group of points: the body, a hand, the face.
private struct Component {
    let name: String
    /// Numbers a point has: its coordinates and its confidence.
    let size: Int
    let points: [String]

    init(_ reader: inout Reader) throws {
        name = try reader.text()
        let format = try reader.text()
        guard format.hasPrefix("XY"), format.hasSuffix("C"), format.utf8.count <= 8 else {
            throw VisionError(
                .malformedPose,
                "points of the format XYC or XYZC were expected in the .pose file, not "
                    + "\"\(format.prefix(20))\"")
        }
        size = format.utf8.count
        let (points, limbs, colors) = (try reader.count(), try reader.count(), try reader.count())
        self.points = try (0..<points).map { _ in try reader.text() }
        try reader.skip(limbs * 4 + colors * 6)
    }
}

/// Where the points of a file are that a pose is made of.
private struct Selection {
    /// The place of each of the 18 joints.
    private(set) var body = [Int?](repeating: nil, count: Keypoints.count)
    private var leftHand: [Int?] = []
    private var rightHand: [Int?] = []
    private var face: [Int?] = []

    private static let joints = [
        "nose", "neck", "rshoulder", "relbow", "rwrist", "lshoulder", "lelbow", "lwrist", "rhip",
        "rknee", "rankle", "lhip", "lknee", "lankle", "reye", "leye", "rear", "lear",
    ]

    private static let fingers = ["thumb", "index", "middle", "ring", "pinky"]

    init(_ components: [Component]) {
        var start = 0
        for component in components {
            let name = component.name.lowercased()
            let places = component.points.indices.map { start + $0 }
            start += component.points.count
            if name.contains("world") { continue }
            if name.contains("hand") {
                let hand = Selection.hand(component.points, places)
                if name.contains("left") { leftHand = hand } else { rightHand = hand }
            } else if name.contains("face") {
                face = Selection.face(component.points, places)
            } else {
                add(component.points, places)
                if name.contains("135"), places.count == 135 {
                    // The wrists are the body's; the hands follow it, then the face.
                    leftHand = [body[7]] + places[25..<45].map(Optional.some)
                    rightHand = [body[4]] + places[45..<65].map(Optional.some)
                    face = Array(places[65...])
                }
            }
        }
    }

    /// Joints of the body: `LEFT_SHOULDER`, `LShoulder`, `left_shoulder`.
    private mutating func add(_ names: [String], _ places: [Int]) {
        for (name, place) in zip(names, places) {
            var name = name.lowercased().filter { $0 != "_" }
            for side in ["left", "right"] where name.hasPrefix(side) {
                name = String(side.prefix(1)) + name.dropFirst(side.count)
            }
            if let joint = Selection.joints.firstIndex(of: name) { body[joint] = place }
        }
    }

    /// A hand: 21 points in order, or some of MediaPipe's by name.
    private static func hand(_ names: [String], _ places: [Int]) -> [Int?] {
        if places.count == Keypoints.handCount { return places }
        var hand = [Int?](repeating: nil, count: Keypoints.handCount)
        for (name, place) in zip(names, places) {
            let words = name.lowercased().split(separator: "_")
            if words == ["wrist"] { hand[0] = place }
            guard let first = words.first, let last = words.last,
                let finger = fingers.firstIndex(of: String(first)),
                let joint =
                    (finger == 0 ? ["cmc", "mcp", "ip", "tip"] : ["mcp", "pip", "dip", "tip"])
                    .firstIndex(of: String(last))
            else { continue }
            hand[1 + 4 * finger + joint] = place
        }
        return hand
    }

    /// A face: 70 or 68 points in order, or points of MediaPipe's mesh whose names are their numbers.
    private static func face(_ names: [String], _ places: [Int]) -> [Int?] {
        if places.count == 68 || places.count == Keypoints.faceCount { return places }
        var mesh: [Int: Int] = [:]
        for (name, place) in zip(names, places) {
            if let number = Int(name) { mesh[number] = place }
        }
        guard !mesh.isEmpty else { return [] }
        let face = KeypointLayout.mesh.map { mesh[$0] }
        return mesh[KeypointLayout.irises[0]] == nil
            ? face : face + KeypointLayout.irises.map { mesh[$0] }
    }

    /// A person, given where points lie.
    func person(_ point: (Int) -> Keypoint) -> PosePerson {
        func part(_ places: [Int?]) -> [Keypoint] {
            places.map { place in
                guard let joint = place.map(point), joint.isPresent else { return .absent }
                return joint
            }
        }
        var person = PosePerson(
            body: part(body), leftHand: part(leftHand), rightHand: part(rightHand),
            face: (try? KeypointLayout.face(part(face))) ?? [])
        if body[1] == nil { person.addNeck() }
        return person
    }
}
