import ArgumentParser
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
