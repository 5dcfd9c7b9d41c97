import ArgumentParser
import PosedOptions
import PosedProtos
import PosedVision

/// The person in pictures that are to be made: a session's, or the one that pictures show.
struct SourceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A session of the person.", valueName: "name"))
    var session: SessionName?

    @Option(
        help: ArgumentHelp(
            "A picture of the person, PNG, JPEG or WebP, instead of a session; may be repeated.",
            valueName: "file"),
        completion: .file(extensions: ["png", "jpg", "jpeg", "webp"]))
    var source: [String] = []

    @OptionGroup(title: "Source") var framing: FramingOptions

    @Option(help: ArgumentHelp("The model that is to see --source.", valueName: "name"))
    var model: String?

    mutating func validate() throws {
        if (session == nil) == source.isEmpty {
            throw ValidationError("expected either --session or --source")
        }
    }

    /// The pictures of --source with how they are framed and the model that sees them. Throws `PosectlError` `file`.
    func message() throws -> Posed_V1_Sources {
        var message = Posed_V1_Sources(try framing.pictures(source), model: model)
        message.sourceFit = framing.message
        return message
    }
}

extension Posed_V1_Sources {
    /// Pictures of one person.
    ///
    /// - Parameter model: The model that sees them, with or without `models/`; nil for the daemon's default.
    init(_ images: [Posed_V1_Image], model: String?) {
        self.init()
        self.images = images
        if let model { self.model = model.hasPrefix("models/") ? model : "models/" + model }
    }
}

extension Posed_V1_CreateSessionRequest {
    /// A session of one person.
    init(_ person: Posed_V1_Sources) {
        self.init()
        (sources, model, sourceFit) = (person.images, person.model, person.sourceFit)
    }
}

extension FramingOptions {
    /// The fit as it is asked for.
    var message: Posed_V1_SourceFit {
        switch fit {
        case .stretch: .stretch
        case .crop: .crop
        case .pad: .pad
        case nil: .unspecified
        }
    }

    /// Pictures of the person, with their boxes. Throws `PosectlError` `file`.
    func pictures(_ paths: [String]) throws -> [Posed_V1_Image] {
        try zip(paths, boxes(of: paths)).map { path, box in
            var image = try InputFile.picture(path)
            if let box {
                image.box.x = Int32(clamping: box.x)
                image.box.y = Int32(clamping: box.y)
                image.box.width = Int32(clamping: box.width)
                image.box.height = Int32(clamping: box.height)
            }
            return image
        }
    }
}
