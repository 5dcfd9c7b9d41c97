import ArgumentParser
import PosedProtos

/// How pictures of the person are brought to the model's aspect.
struct SourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What is done to a picture of another aspect than the model's: stretch, crop or pad; else what the "
                + "model says.", valueName: "fit"))
    var fit: Fit?

    @Option(
        help: ArgumentHelp(
            "Where the person is in a picture, in pixels; once for each picture.",
            valueName: "x,y,w,h"))
    var box: [Box] = []

    /// What is done to a picture of another aspect.
    enum Fit: String, ExpressibleByArgument, CaseIterable {
        case stretch, crop, pad
    }

    /// A rectangle of a picture, written `210,40,300,620`.
    struct Box: ExpressibleByArgument {
        let message: Posed_V1_PictureBox

        init?(argument: String) {
            let numbers = argument.split(separator: ",", omittingEmptySubsequences: false)
                .map { Int32($0) }
            guard numbers.count == 4, let x = numbers[0], let y = numbers[1],
                let width = numbers[2], let height = numbers[3], width > 0, height > 0
            else { return nil }
            var box = Posed_V1_PictureBox()
            (box.x, box.y, box.width, box.height) = (x, y, width, height)
            message = box
        }
    }

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
        guard box.count <= paths.count else {
            throw PosectlError(
                .file,
                "--box: expected at most one for each of \(paths.count) pictures, there are \(box.count)"
            )
        }
        return try paths.enumerated().map { index, path in
            var image = try InputFile.picture(path)
            if index < box.count { image.box = box[index].message }
            return image
        }
    }
}
