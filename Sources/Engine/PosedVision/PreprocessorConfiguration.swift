/// How an encoder wants its pictures: the contents of a `preprocessor_config.json`.
///
/// The steps and their rounding are those of transformers' Pillow image processors: resize, center
/// crop, rescale, normalize, each where it is switched on. Two keys are this project's own: `antialias`, false
/// for PyTorch's `interpolate` on floats in place of Pillow's resize, and `rescale_by_maximum`.
package struct PreprocessorConfiguration: Equatable, Sendable {
    /// The size a picture is resized to.
    package enum Size: Equatable, Sendable {
        /// The shorter side gets this length, the other keeps the proportion, rounded down.
        case shortestEdge(Int)
        /// Exactly this, whatever the proportion.
        case exact(width: Int, height: Int)
    }

    /// The size to resize to, or nil to leave the size alone.
    package var resize: Size?
    /// The filter of the resize.
    package var filter: Resampling
    /// Whether the filter widens where a picture shrinks. Without it a picture is resized in floats, after
    /// all else.
    package var antialias = true
    /// Width and height of the center crop, or nil for none.
    package var crop: Crop?
    /// The factor of the bytes, or nil to keep 0…255.
    package var rescaleFactor: Double?
    /// Whether bytes are divided by the picture's greatest instead; a black picture stays black.
    package var rescalesByMaximum = false
    /// What is subtracted of each channel after rescaling, or nil not to normalize.
    package var mean: [Double]?
    /// What each channel is divided by after that, or nil not to normalize.
    package var deviation: [Double]?

    /// The size of a center crop.
    package struct Crop: Equatable, Sendable {
        /// Columns.
        package var width: Int
        /// Rows.
        package var height: Int

        /// A crop of that size.
        package init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    /// A configuration from its parts.
    package init(
        resize: Size?, filter: Resampling, crop: Crop?, rescaleFactor: Double?,
        mean: [Double]?, deviation: [Double]?
    ) {
        self.resize = resize
        self.filter = filter
        self.crop = crop
        self.rescaleFactor = rescaleFactor
        self.mean = mean
        self.deviation = deviation
    }

    /// What DINOv2 is published with: shortest edge 256, crop of 224, ImageNet's mean and deviation.
    package static let dinoV2 = PreprocessorConfiguration(
        resize: .shortestEdge(256), filter: .bicubic, crop: Crop(width: 224, height: 224),
        rescaleFactor: 0.00392156862745098, mean: [0.485, 0.456, 0.406],
        deviation: [0.229, 0.224, 0.225])

    /// The width and height that a picture of the given size leaves with.
    package func outputSize(width: Int, height: Int) -> (width: Int, height: Int) {
        if let crop { return (crop.width, crop.height) }
        return resizedSize(width: width, height: height)
    }

    /// Whether a picture of the given size is resized to no more than `Image.defaultPixelLimit` pixels.
    package func canPrepare(width: Int, height: Int) -> Bool {
        let size = resizedSize(width: width, height: height)
        return size.width <= Image.defaultPixelLimit / max(size.height, 1)
    }

    /// The width and height after the resize alone.
    func resizedSize(width: Int, height: Int) -> (width: Int, height: Int) {
        switch resize {
        case nil: (width, height)
        case .exact(let newWidth, let newHeight): (newWidth, newHeight)
        case .shortestEdge(let edge):
            width <= height ? (edge, edge * height / width) : (edge * width / height, edge)
        }
    }

    /// The floats of a picture's bytes after rescaling and normalizing.
    private func normalization(of image: Image) -> ImageNormalization {
        let most = rescalesByMaximum ? image.bytes.max() ?? 0 : 0
        return ImageNormalization(
            rescale: rescalesByMaximum ? 1 / Double(max(most, 1)) : rescaleFactor, mean: mean,
            deviation: deviation)
    }

    /// The size after the resize. Throws `tooLarge` where a sliver of a picture would become more than
    /// `Image.defaultPixelLimit` pixels.
    private func checkedSize(of image: Image) throws -> (width: Int, height: Int) {
        let size = resizedSize(width: image.width, height: image.height)
        guard size.width <= Image.defaultPixelLimit / max(size.height, 1) else {
            throw VisionError(
                .tooLarge,
                "a picture of \(image.width) × \(image.height) would be resized to "
                    + "\(size.width) × \(size.height), beyond the limit of "
                    + "\(Image.defaultPixelLimit) pixels")
        }
        return size
    }

    /// The picture resized and cropped, still in bytes. Throws `tooLarge`.
    package func prepared(_ image: Image) throws -> Image {
        let size = try checkedSize(of: image)
        let resized = try image.resized(width: size.width, height: size.height, filter: filter)
        guard let crop else { return resized }
        return try resized.centerCropped(width: crop.width, height: crop.height)
    }

    /// The picture as the encoder takes it, `[3, H, W]` or `[H, W, 3]` of `outputSize`.
    package func pixelValues(
        of image: Image, layout: PlaneLayout = .nchw
    ) throws -> [Float] {
        let normalization = normalization(of: image)
        if antialias { return try prepared(image).planes(normalization, layout: layout) }
        let size = try checkedSize(of: image)
        let resize = PlainResize(
            from: (image.width, image.height), to: size, filter: filter)
        let pixels = resize(image.planes(normalization, layout: .nhwc))
        let window = (width: crop?.width ?? size.width, height: crop?.height ?? size.height)
        guard window.width <= size.width, window.height <= size.height else {
            throw VisionError(
                .invalidSize,
                "a crop of \(window.width) × \(window.height) expected within a picture of "
                    + "\(size.width) × \(size.height), which it does not fit")
        }
        let (left, top) = ((size.width - window.width) / 2, (size.height - window.height) / 2)
        var result = [Float](repeating: 0, count: window.width * window.height * 3)
        let (pixelStep, channelStep) =
            layout == .nchw ? (1, window.width * window.height) : (3, 1)
        for row in 0..<window.height {
            for column in 0..<window.width {
                let from = ((top + row) * size.width + left + column) * 3
                let to = (row * window.width + column) * pixelStep
                for channel in 0..<3 { result[to + channel * channelStep] = pixels[from + channel] }
            }
        }
        return result
    }
}
