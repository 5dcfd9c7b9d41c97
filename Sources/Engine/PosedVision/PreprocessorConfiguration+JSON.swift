package import Foundation
import PosedBase

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
