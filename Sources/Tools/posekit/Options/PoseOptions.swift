import ArgumentParser
import Foundation
import PosedVision

/// How pose files are read, and what is done to the poses before they are drawn.
struct PoseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The picture that poses are measured in, whatever their files say: its size, normalized (0 to 1) or "
                + "normalized-signed (-1 to 1).", valueName: "WxH"),
        transform: KeypointUnits.parsed)
    var poseSize: KeypointUnits?

    @Option(
        help: ArgumentHelp(
            "The person in files with several, counted from 1; without it the most certain and largest.",
            valueName: "n"))
    var person: String?

    @Option(
        help: ArgumentHelp(
            "Joints less certain than this are absent; 0.05 without it.", valueName: "c"))
    var minConfidence: Double?

    @Option(
        help: ArgumentHelp(
            "Fit the poses to the person of the source, whose pose in the source picture this is.",
            valueName: "file"))
    var retarget: String?

    @Option(
        help: ArgumentHelp(
            "Calm joints that tremble: the cutoff at rest in hertz, such as 1; less is calmer.",
            valueName: "hz"))
    var smooth: Double?

    func validate() throws {
        if let minConfidence, !(minConfidence >= 0 && minConfidence <= 1) {
            throw ValidationError("--min-confidence takes 0 to 1, not \(minConfidence)")
        }
        if let smooth, !(smooth > 0 && smooth <= 1000) {
            throw ValidationError(
                "--smooth takes more than 0 and at most 1000 hertz, not \(smooth)")
        }
    }

    /// A pose, and what it is called.
    struct Named {
        /// Its file.
        let file: String
        /// The file's name without its end, and the frame's number where there are several.
        let name: String
        var pose: PoseInput
    }

    /// A number in six digits, so that names sort.
    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// Reads pose files and the frames of those with several, and fits and smooths them in their order.
    ///
    /// - Throws: `VisionError` that names the file, and the frame where nobody is there.
    func read(_ paths: [String]) throws -> [Named] {
        let reading = PoseReading(
            person: person, units: poseSize ?? .unsaid,
            minConfidence: minConfidence ?? Keypoint.leastConfidence)
        var rate: Double?
        var poses = try paths.flatMap { path -> [Named] in
            let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            let file = try PoseFrames(file: path, reading: reading)
            rate = rate ?? file.rate
            let isOne = file.frames.count == 1
            return try file.frames.enumerated().map { index, pose in
                guard let pose else {
                    let place = isOne ? path : "\(path), frame \(index + 1)"
                    throw VisionError(.emptyPose, "\(place): \(reading.absence)")
                }
                return Named(
                    file: path, name: isOne ? name : "\(name)-\(Self.padded(index + 1))",
                    pose: pose)
            }
        }
        var track = PoseTrack(
            retargeter: try retarget.map { path in
                guard case .keypoints(let source) = try PoseInput(file: path) else {
                    throw VisionError(
                        .malformedPose,
                        "\(path): a pose with joints was expected, this is a picture")
                }
                return try PoseRetargeter(source: source)
            },
            smoother: smooth.map {
                PoseSmoother(minCutoff: $0, rate: rate ?? PoseSmoother.defaultRate)
            })
        for index in poses.indices {
            do {
                poses[index].pose = try track.next(poses[index].pose)
            } catch let error as VisionError {
                throw VisionError(
                    error.code, "\(poses[index].file): \(error.message)", cause: error.cause)
            }
        }
        return poses
    }
}

extension KeypointUnits {
    /// The units that an option names. Throws `ValidationError`, which says what is expected.
    @Sendable static func parsed(_ text: String) throws -> KeypointUnits {
        guard let units = KeypointUnits(named: text) else {
            throw ValidationError(
                "expected a size such as 1920x1080, normalized or normalized-signed")
        }
        return units
    }
}
