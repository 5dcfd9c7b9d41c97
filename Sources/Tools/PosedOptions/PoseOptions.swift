package import ArgumentParser
package import PosedVision

/// How pose files are read, and whom the poses are fitted to.
package struct PoseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The picture that poses are measured in, whatever their files say: its size, normalized (0 to 1) or "
                + "normalized-signed (-1 to 1).", valueName: "WxH"),
        transform: KeypointUnits.parsed)
    package var poseSize: KeypointUnits?

    @Option(
        help: ArgumentHelp(
            "The person in files with several, counted from 1; without it the most certain and largest.",
            valueName: "n"))
    package var person: String?

    @Option(
        help: ArgumentHelp(
            "Joints less certain than this are absent; 0.05 without it.", valueName: "c"))
    package var minConfidence: Double?

    @Option(
        help: ArgumentHelp(
            "Fit the poses to the person of the source, whose pose in the source picture this is.",
            valueName: "file"),
        completion: .file())
    package var retarget: String?

    package init() {}

    package func validate() throws {
        if let minConfidence, !(minConfidence >= 0 && minConfidence <= 1) {
            throw ValidationError("--min-confidence takes 0 to 1, not \(minConfidence)")
        }
    }

    /// How pose files are read.
    package var reading: PoseReading {
        PoseReading(
            person: person, units: poseSize ?? .unsaid,
            minConfidence: minConfidence ?? Keypoint.leastConfidence)
    }
}

/// How the joints of a track are calmed.
package struct SmoothingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Calm joints that tremble: the cutoff at rest in hertz, such as 1; less is calmer.",
            valueName: "hz"))
    package var smooth: Double?

    package init() {}

    package func validate() throws {
        if let smooth, !(smooth > 0 && smooth <= 1000) {
            throw ValidationError(
                "--smooth takes more than 0 and at most 1000 hertz, not \(smooth)")
        }
    }
}

extension KeypointUnits {
    /// The units that an option names. Throws `ValidationError`, which says what is expected.
    @Sendable fileprivate static func parsed(_ text: String) throws -> KeypointUnits {
        guard let units = KeypointUnits(named: text) else {
            throw ValidationError(
                "expected a size such as 1920x1080, normalized or normalized-signed")
        }
        return units
    }
}
