import ArgumentParser
import Foundation
import PosedModels
import PosedOptions
import PosedPipeline
import PosedVision

/// The pictures of the person.
struct Sources {
    private let files: [(path: String, picture: Image, box: PictureBox?)]
    private let options: FramingOptions

    /// Reads the pictures. Throws `VisionError` for a file.
    init(_ paths: [String], _ options: FramingOptions) throws {
        files = try zip(paths, options.boxes(of: paths)).map { path, box in
            (path, try Image(file: path), box)
        }
        self.options = options
    }

    /// How many there are.
    var count: Int { files.count }

    /// A retargeter to the person of the first one, whose pose in it `file` has.
    ///
    /// - Throws: `VisionError` that names the file.
    func retargeter(_ file: String) throws -> PoseRetargeter? {
        guard let picture = files.first?.picture else { return nil }
        guard case .keypoints(let source) = try PoseInput(file: file) else {
            throw VisionError(
                .malformedPose, "\(file): a pose with joints was expected, this is a picture")
        }
        do {
            return try PoseRetargeter(
                source: source, width: picture.width, height: picture.height)
        } catch let error as VisionError {
            throw VisionError(error.code, "\(file): \(error.message)", cause: error.cause)
        }
    }

    /// The pictures as a pipeline's model takes them, and the rectangle of the first one that is shown.
    ///
    /// - Throws: `PosekitError` for a box that shows nothing of its picture.
    func framed(for pipeline: Pipeline) throws -> (pictures: [Image], shown: PictureBox?) {
        var framing = pipeline.model.framing
        framing.fit = options.fit ?? framing.fit
        let (width, height) = (pipeline.width, pipeline.height)
        let pictures = try files.map { file in
            do {
                return try framing.framed(
                    file.picture, width: width, height: height, box: file.box)
            } catch let error as VisionError {
                throw PosekitError(.invalidInput, "\(file.path): \(error.message)", cause: error)
            }
        }
        let shown = try files.first.map {
            try framing.region(of: $0.picture, width: width, height: height, box: $0.box)
        }
        return (pictures, shown)
    }
}

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

/// Noise given in a file instead of drawn from a seed.
enum NoiseFile {
    /// The values of `z0` (or of the file's only tensor), [C, h, w] or [1, C, h, w].
    ///
    /// - Throws: `WeightsError` or `PosekitError`.
    static func read(_ path: String, for pipeline: Pipeline) throws -> [Float] {
        let size = pipeline.latentSize
        var file = try TensorFile(
            path: path,
            extents: [
                "C": pipeline.model.transformer.form.channels, "h": size.height,
                "w": size.width,
            ])
        let names = file.names
        let name = names.count == 1 ? names[0] : "z0"
        let legend = file.rank(name) == 3 ? "C h w" : "1 C h w"
        return try file.tensor(name, legend).values
    }
}
