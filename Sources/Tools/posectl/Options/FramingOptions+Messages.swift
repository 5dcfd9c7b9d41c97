import PosedOptions
import PosedProtos
import PosedVision

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
