extension Keypoints {
    /// Parses a pose in text; `name` stands for the file in messages.
    ///
    /// Known are
    /// - the pose files of PIDM and X-MDPT: 18 lines `x y` (a third number is a confidence), −1 for
    ///   an absent joint, measured in DeepFashion's 256 × 256 pictures, whose margins of 40 columns
    ///   those projects cut off: `KeypointFrame.deepFashion`;
    /// - annotation lines `name: [y, …]: [x, …]` of 18 numbers each, measured in DeepFashion's
    ///   176 × 256 pictures: `KeypointFrame.deepFashionCut`; `person` chooses a line by its name,
    ///   and may be nil where there is only one.
    ///
    /// A `frame` of your own replaces these. Coordinates that are all at most 1 are normalized in
    /// either form. Throws `malformedPose`, or what `init(_:frame:)` throws.
    package init(
        text: String, name: String = "the pose", person: String? = nil,
        frame: KeypointFrame? = nil
    ) throws {
        let lines = text.split(whereSeparator: \.isNewline).enumerated().compactMap {
            number, line -> (Int, Substring)? in
            let content = line.prefix { $0 != "#" }
            return content.allSatisfy(\.isWhitespace) ? nil : (number + 1, content)
        }
        do {
            if lines.contains(where: { $0.1.contains("[") }) {
                let points = try Keypoints.annotation(lines.map(\.1), person: person)
                try self.init(points, frame: frame, otherwise: .deepFashionCut)
            } else {
                let points = try lines.map { try Keypoints.row($0.1, line: $0.0) }
                try self.init(points, frame: frame, otherwise: .deepFashion)
            }
        } catch let error as VisionError {
            throw VisionError(error.code, "\(name): \(error.message)", cause: error.cause)
        }
    }

    /// With the given frame, else normalized if nothing exceeds 1, else with the format's frame.
    private init(
        _ points: [Keypoint], frame: KeypointFrame?, otherwise: KeypointFrame
    ) throws {
        let isUnit = points.filter(\.isPresent).allSatisfy { $0.x <= 1 && $0.y <= 1 }
        try self.init(points, frame: frame ?? (isUnit ? .unit : otherwise))
    }

    private static func row(_ line: Substring, line number: Int) throws -> Keypoint {
        let words = line.split { $0.isWhitespace || $0 == "," }
        let numbers = words.compactMap { Double($0) }
        guard numbers.count == words.count, (2...3).contains(numbers.count) else {
            throw VisionError(
                .malformedPose,
                "line \(number) should hold x and y, not \"\(line.prefix(40))\"")
        }
        return Keypoint(
            x: numbers[0], y: numbers[1], confidence: numbers.count == 3 ? numbers[2] : 1)
    }

    private static func annotation(_ lines: [Substring], person: String?) throws -> [Keypoint] {
        let people = lines.filter { $0.contains("[") }
        guard
            let line = person.map({ name in people.first { title(of: $0) == name } })
                ?? (people.count == 1 ? people.first : nil)
        else {
            throw VisionError(
                .malformedPose,
                person.map { "there is no line for \"\($0)\"" }
                    ?? "there are \(people.count) people in it, one has to be chosen by name")
        }
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 2 else { throw wrongAnnotation(line) }
        let y = try numbers(fields[fields.count - 2], of: line)
        let x = try numbers(fields[fields.count - 1], of: line)
        guard x.count == y.count else { throw wrongAnnotation(line) }
        return zip(x, y).map { Keypoint(x: $0, y: $1) }
    }

    /// What stands before the two lists.
    private static func title(of line: Substring) -> String {
        let start = line.prefix { $0 != "[" }
        return String(
            start.drop(while: \.isWhitespace).reversed().drop { $0 == ":" || $0 == " " }
                .reversed())
    }

    private static func numbers(_ field: Substring, of line: Substring) throws -> [Double] {
        let trimmed = field.filter { !$0.isWhitespace }
        guard trimmed.first == "[", trimmed.last == "]" else { throw wrongAnnotation(line) }
        let words = trimmed.dropFirst().dropLast().split(separator: ",")
        let numbers = words.compactMap { Double($0) }
        guard numbers.count == words.count else { throw wrongAnnotation(line) }
        return numbers
    }

    private static func wrongAnnotation(_ line: Substring) -> VisionError {
        VisionError(
            .malformedPose,
            "an annotation should read \"name: [y, …]: [x, …]\", not \"\(line.prefix(40))\"")
    }
}
