package import Foundation
import PosedBase

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

extension PreprocessorConfiguration {
    /// Reads a `preprocessor_config.json`. Throws `unreadableFile` or `invalidConfiguration`, naming
    /// the file and the key.
    package init(file path: String) throws {
        try self.init(json: try WholeFile.contents(path, limit: 1 << 20), name: path)
    }

    /// Parses the contents of a `preprocessor_config.json`; `name` stands for it in messages.
    ///
    /// Known are the image processors of the BiT, CLIP and ViT families, which published DINOv2 and
    /// vision transformer folders name; a key that is absent has that processor's default.
    package init(json data: Data, name: String = "preprocessor_config.json") throws {
        let fields = try ConfigurationFields(data, name: name)
        let defaults = try fields.defaults()
        self.init(
            resize: try fields.size(defaults), filter: try fields.filter(defaults),
            crop: try fields.crop(defaults), rescaleFactor: try fields.rescale(),
            mean: try fields.channels("image_mean", defaults.mean, least: -1e6),
            deviation: try fields.channels("image_std", defaults.deviation, least: 1e-9))
        antialias = try fields.flag("antialias", true)
        rescalesByMaximum = try fields.flag("rescale_by_maximum", false)
    }
}

/// The keys of one configuration file, read with errors that name them.
private struct ConfigurationFields {
    /// What a processor does where its file is silent.
    struct Defaults {
        let resize: PreprocessorConfiguration.Size
        let filter: Resampling
        let crops: Bool
        let mean: [Double]
        let deviation: [Double]
    }

    let root: JSONValue
    let name: String

    init(_ data: Data, name: String) throws {
        self.name = name
        do {
            root = try JSONValue(parsing: data, allowsNonFinite: true)
        } catch {
            throw VisionError(.invalidConfiguration, "\(name): this is not JSON", cause: error)
        }
        guard case .object = root else {
            throw wrong("an object was expected, not \(root.kind)")
        }
    }

    func wrong(_ text: String) -> VisionError {
        VisionError(.invalidConfiguration, "\(name): \(text)")
    }

    func defaults() throws -> Defaults {
        let type = (root["image_processor_type"] ?? root["feature_extractor_type"])?.text
        let clip = Defaults(
            resize: .shortestEdge(224), filter: .bicubic, crops: true,
            mean: [0.48145466, 0.4578275, 0.40821073],
            deviation: [0.26862954, 0.26130258, 0.27577711])
        switch type.map({ $0.hasSuffix("Fast") ? String($0.dropLast(4)) : $0 }) {
        case nil, "BitImageProcessor", "CLIPImageProcessor", "CLIPFeatureExtractor": return clip
        case "ViTImageProcessor", "ViTFeatureExtractor":
            return Defaults(
                resize: .exact(width: 224, height: 224), filter: .bilinear, crops: false,
                mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5])
        case .some(let other):
            throw wrong(
                "the image processor \"\(other)\" is not known; BitImageProcessor, "
                    + "CLIPImageProcessor and ViTImageProcessor are")
        }
    }

    func flag(_ key: String, _ otherwise: Bool) throws -> Bool {
        switch root[key] {
        case nil, .null: return otherwise
        case .bool(let value): return value
        case .some(let value):
            throw wrong("\(key) should be true or false, not \(value.kind)")
        }
    }

    func edge(_ value: JSONValue?, _ key: String) throws -> Int {
        guard let number = value?.double, number >= 1, number <= 16384, number == number.rounded()
        else { throw wrong("\(key) should be a whole number from 1 to 16384") }
        return Int(number)
    }

    func size(_ defaults: Defaults) throws -> PreprocessorConfiguration.Size? {
        guard try flag("do_resize", true) else { return nil }
        guard let size = root["size"], !size.isNull else { return defaults.resize }
        if size.double != nil {
            let edge = try edge(size, "size")
            if case .exact = defaults.resize { return .exact(width: edge, height: edge) }
            return .shortestEdge(edge)
        }
        if let shortest = size["shortest_edge"], !shortest.isNull {
            if let longest = size["longest_edge"], !longest.isNull {
                throw wrong("a size with a longest_edge is not supported")
            }
            return .shortestEdge(try edge(shortest, "size.shortest_edge"))
        }
        guard size["height"] != nil, size["width"] != nil else {
            throw wrong("size should have a shortest_edge, or a height and a width")
        }
        return .exact(
            width: try edge(size["width"], "size.width"),
            height: try edge(size["height"], "size.height"))
    }

    func filter(_ defaults: Defaults) throws -> Resampling {
        guard let value = root["resample"], !value.isNull else { return defaults.filter }
        if let number = value.double, number == 2 || number == 3 {
            return number == 2 ? .bilinear : .bicubic
        }
        throw wrong("resample should be 2 (bilinear) or 3 (bicubic)")
    }

    func crop(_ defaults: Defaults) throws -> PreprocessorConfiguration.Crop? {
        guard try flag("do_center_crop", defaults.crops) else { return nil }
        guard let size = root["crop_size"], !size.isNull else {
            return PreprocessorConfiguration.Crop(width: 224, height: 224)
        }
        if size.double != nil {
            let edge = try edge(size, "crop_size")
            return PreprocessorConfiguration.Crop(width: edge, height: edge)
        }
        return PreprocessorConfiguration.Crop(
            width: try edge(size["width"], "crop_size.width"),
            height: try edge(size["height"], "crop_size.height"))
    }

    func rescale() throws -> Double? {
        guard try flag("do_rescale", true) else { return nil }
        guard let value = root["rescale_factor"], !value.isNull else { return 1.0 / 255 }
        guard let factor = value.double, factor.isFinite, factor != 0 else {
            throw wrong("rescale_factor should be a number other than 0")
        }
        return factor
    }

    func channels(_ key: String, _ otherwise: [Double], least: Double) throws -> [Double]? {
        guard try flag("do_normalize", true) else { return nil }
        guard let value = root[key], !value.isNull else { return otherwise }
        let numbers =
            value.double.map { [$0, $0, $0] } ?? value.elements?.compactMap(\.double) ?? []
        guard numbers.count == 3, value.elements?.count ?? 3 == 3,
            numbers.allSatisfy({ $0.isFinite && $0 >= least })
        else {
            throw wrong("\(key) should be three numbers, one a channel, of at least \(least)")
        }
        return numbers
    }
}
