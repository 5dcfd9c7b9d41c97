/// Poses in text.
///
/// Known are
/// - the pose files of PIDM and X-MDPT: 18 lines `x y` (a third number is a confidence), −1 for
///   an absent joint, measured in DeepFashion's 256 × 256 pictures, whose margins of 40 columns
///   those projects cut off: `KeypointFrame.deepFashion`;
/// - annotation lines `name: [y, …]: [x, …]` of 18 numbers each, measured in DeepFashion's
///   176 × 256 pictures: `KeypointFrame.deepFashionCut`; a person is chosen by the name of the line;
/// - the labels of Ultralytics: a line for each person, of class, box and 17 joints, normalized.
///
/// Coordinates that are all small are normalized in either of the first two.
enum PoseText {
    /// The people that a text speaks of. Throws `malformedPose` or `incompletePose`.
    static func picture(_ text: String, _ reading: PoseReading) throws -> PosePicture {
        let lines = text.split(whereSeparator: \.isNewline).enumerated().compactMap {
            number, line -> (Int, Substring)? in
            let content = line.prefix { $0 != "#" }
            return content.allSatisfy(\.isWhitespace) ? nil : (number + 1, content)
        }
        if lines.contains(where: { $0.1.contains("[") }) {
            return try annotations(lines.map(\.1), reading)
        }
        let rows = try lines.map { try row($0.1, line: $0.0) }
        if let first = rows.first, labelled.contains(first.count) {
            return PosePicture(people: try rows.map(label), units: .frame(.unit))
        }
        for (row, line) in zip(rows, lines) where !(2...3).contains(row.count) {
            throw wrongRow(line.1, line: line.0)
        }
        let joints = rows.map {
            Keypoint(x: $0[0], y: $0[1], confidence: $0.count == 3 ? $0[2] : nil)
        }
        guard joints.count == Keypoints.count else {
            throw VisionError(
                .incompletePose,
                "\(Keypoints.count) lines of x and y were expected, not \(joints.count)")
        }
        return PosePicture(people: [PosePerson(body: joints)], canvas: .deepFashion)
    }

    private static func row(_ line: Substring, line number: Int) throws -> [Double] {
        let words = line.split { $0.isWhitespace || $0 == "," }
        let numbers = words.compactMap { Double($0) }
        guard numbers.count == words.count else { throw wrongRow(line, line: number) }
        return numbers
    }

    private static func wrongRow(_ line: Substring, line number: Int) -> VisionError {
        VisionError(
            .malformedPose, "line \(number) should hold x and y, not \"\(line.prefix(40))\"")
    }

    // MARK: Ultralytics

    /// The lengths of a label: class, box, 17 joints with or without confidence; then perhaps how certain the box is.
    private static let labelled = [56, 57, 39, 40]

    private static func label(_ numbers: [Double]) throws -> PosePerson {
        guard labelled.contains(numbers.count) else {
            throw VisionError(
                .malformedPose, "a label of 56 numbers was expected, not of \(numbers.count)")
        }
        let step = numbers.count < 50 ? 2 : 3
        return try KeypointLayout.person(
            (0..<17).map { joint in
                let at = 5 + joint * step
                return Keypoint(
                    x: numbers[at], y: numbers[at + 1],
                    confidence: step == 3 ? numbers[at + 2] : nil)
            })
    }

    // MARK: Annotations

    private static func annotations(
        _ lines: [Substring], _ reading: PoseReading
    ) throws -> PosePicture {
        var people = lines.filter { $0.contains("[") }
        var chosen = people
        if let person = reading.person {
            chosen = people.filter { title(of: $0) == person }
            if chosen.isEmpty, let number = Int(person), (1...people.count).contains(number) {
                chosen = [people[number - 1]]
            }
            guard !chosen.isEmpty else {
                throw VisionError(.malformedPose, "there is no line for \"\(person)\"")
            }
        }
        people = chosen
        guard let line = people.first, people.count == 1 || reading.person != nil else {
            throw VisionError(
                .malformedPose,
                "there are \(people.count) people in it, one has to be chosen by name (--person)")
        }
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 2 else { throw wrongAnnotation(line) }
        let y = try numbers(fields[fields.count - 2], of: line)
        let x = try numbers(fields[fields.count - 1], of: line)
        guard x.count == y.count else { throw wrongAnnotation(line) }
        guard x.count == Keypoints.count else {
            throw VisionError(
                .incompletePose,
                "an annotation of \(Keypoints.count) joints was expected, not of "
                    + "\(x.count)")
        }
        return PosePicture(
            people: [PosePerson(body: zip(x, y).map { Keypoint(x: $0, y: $1) })],
            canvas: .deepFashionCut, isChosen: true)
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
