import ArgumentParser
import PosedPipeline
import PosedVision

/// How pictures of the person are read and brought to the model's aspect.
struct FramingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What is done to a source of another aspect than the picture that is made: stretch, crop or pad; "
                + "without it what the model says.", valueName: "fit"),
        transform: PictureFit.parsed)
    var fit: PictureFit?

    @Option(
        help: ArgumentHelp(
            "Where the person is in --source, in pixels; once for each source.",
            valueName: "x,y,w,h"),
        transform: PictureBox.parsed)
    var box: [PictureBox] = []

    /// A picture of the person, and where the person is in it.
    struct Source {
        let path: String
        let picture: Image
        let box: PictureBox?
    }

    /// Reads pictures of the person.
    ///
    /// - Throws: `VisionError` for a file, `PosekitError` for more boxes than pictures.
    func read(_ paths: [String]) throws -> [Source] {
        guard box.count <= paths.count else {
            throw PosekitError(
                .invalidInput,
                "--box: at most one for each of \(paths.count) sources expected, but there are \(box.count)"
            )
        }
        return try paths.enumerated().map { index, path in
            Source(
                path: path, picture: try Image(file: path),
                box: index < box.count ? box[index] : nil)
        }
    }

    /// The pictures as the model takes them.
    ///
    /// - Throws: `PosekitError` for a box that shows nothing of its picture.
    func framed(_ sources: [Source], for pipeline: Pipeline) throws -> [Image] {
        var framing = pipeline.model.framing
        framing.fit = fit ?? framing.fit
        return try sources.map { source in
            do {
                return try framing.framed(
                    source.picture, width: pipeline.width, height: pipeline.height, box: source.box)
            } catch let error as VisionError {
                throw PosekitError(
                    .invalidInput, "\(source.path): \(error.message)", cause: error)
            }
        }
    }
}

extension PictureFit {
    /// The fit that an option names. Throws `ValidationError`, which says what is expected.
    @Sendable static func parsed(_ text: String) throws -> PictureFit {
        guard let fit = PictureFit(rawValue: text) else {
            throw ValidationError("expected stretch, crop or pad")
        }
        return fit
    }
}

extension PictureBox {
    /// The box that an option gives. Throws `ValidationError`, which says what is expected.
    @Sendable static func parsed(_ text: String) throws -> PictureBox {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 4, let x = numbers[0], let y = numbers[1], let width = numbers[2],
            let height = numbers[3], width > 0, height > 0
        else {
            throw ValidationError("expected x,y,width,height in pixels, such as 210,40,300,620")
        }
        return PictureBox(x: x, y: y, width: width, height: height)
    }
}
