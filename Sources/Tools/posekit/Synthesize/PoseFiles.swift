import Foundation
import PosedVision

/// The poses of files.
enum PoseFiles {
    /// A pose, and what it is called.
    struct Named {
        /// Its file.
        let file: String
        /// The file's name without its end, and the frame's number where there are several.
        let name: String
        var pose: PoseInput
    }

    /// Reads pose files and the frames of those with several, and fits and smooths them in their order.
    ///
    /// - Throws: `VisionError` that names the file, and the frame where nobody is there.
    static func read(
        _ paths: [String], _ reading: PoseReading, retargeter: PoseRetargeter?, smooth: Double?
    ) throws -> [Named] {
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
                    file: path, name: isOne ? name : "\(name)-\(padded(index + 1))", pose: pose)
            }
        }
        var track = PoseTrack(
            retargeter: retargeter,
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

    /// A number in six digits, so that names sort.
    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}
