import ArgumentParser
import PosedProtos
import PosedVision

/// How pictures travel.
enum PictureFormat: String, ExpressibleByArgument, CaseIterable, Encodable {
    case png, raw, jpeg

    /// The format as it is asked for.
    var message: Posed_V1_ImageFormat {
        switch self {
        case .png: .png
        case .raw: .rawRgb8
        case .jpeg: .jpeg
        }
    }
}

/// The format of pictures that travel as the caller says, and its quality.
struct FormatOptions: ParsableArguments {
    @Option(help: "How pictures travel; raw is quicker on one machine.")
    var format: PictureFormat?

    @Option(help: ArgumentHelp("The quality of JPEG pictures, 1 to 100.", valueName: "n"))
    var quality: Int?

    mutating func validate() throws {
        if let quality, !(1...100).contains(quality) {
            throw ValidationError("--quality: expected a number from 1 to 100")
        }
    }

    /// Refuses a quality that nothing would be written with. Throws `ValidationError`.
    ///
    /// - Parameter writesJPEG: Whether the command writes JPEG files where no format is said.
    func check(writesJPEG: Bool) throws {
        guard quality == nil || format == .jpeg || writesJPEG else {
            throw ValidationError("--quality: expected pictures in JPEG, by --format jpeg")
        }
    }

    /// Adds the format to settings, `usual` where none is said.
    func add(to settings: inout Posed_V1_SynthesisSettings, usual: PictureFormat) {
        let format = format ?? usual
        settings.imageFormat = format.message
        if format == .jpeg, let quality { settings.jpegQuality = Int32(quality) }
    }
}
