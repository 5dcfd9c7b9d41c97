import Foundation
package import PosedBackend
import PosedModels
package import PosedVision

/// The layout of a model on disk: which parts there are, and of which classes.
package struct ModelFolder: Sendable {
    /// The folder's path.
    package let path: String
    /// Whether the pose has an image encoder of its own.
    package let hasPoseEncoder: Bool
    /// How the model wants pictures of another aspect, unless a request says otherwise.
    package let framing: PictureFraming
    /// Whether 8 bits lose nothing that is seen, so that `auto` may choose them.
    package let allowsEightBits: Bool
    /// The defaults of a request.
    package let sampler: SamplerDefaults

    /// The version of the format that this reader knows.
    package static let formatVersion = 1

    /// Reads `model_index.json` and `sampler/config.json`.
    ///
    /// - Throws: `PipelineError` or `ModelError` when the folder is no model, or one of a later format.
    package init(path: String) throws {
        self.path = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        else {
            throw PipelineError(
                .invalidModel, "\(path): a model folder expected, but there is none")
        }
        let file = path + "/model_index.json"
        guard let data = FileManager.default.contents(atPath: file) else {
            throw PipelineError(
                .invalidModel, "\(path): no model_index.json, which every model folder has")
        }
        let index = try ConfigurationFile(data, path: file)
        let version = try index.integer("format_version", default: 1, in: 1...Int(Int32.max))
        guard version <= ModelFolder.formatVersion else {
            throw PipelineError(
                .invalidModel,
                "\(file): \"format_version\" must be at most "
                    + "\(ModelFolder.formatVersion), but it is \(version)")
        }
        framing = try ModelFolder.framing(index)
        allowsEightBits = try index.bool("eight_bits", default: false)
        for part in ["vae", "source_encoder", "transformer"] {
            guard FileManager.default.fileExists(atPath: path + "/" + part + "/config.json") else {
                throw PipelineError(
                    .invalidModel, "\(path): no \(part)/config.json, which every model folder has")
            }
        }
        hasPoseEncoder = FileManager.default.fileExists(atPath: path + "/pose_encoder/config.json")
        sampler = try SamplerDefaults(folder: path + "/sampler")
    }

    private static func framing(_ index: ConfigurationFile) throws -> PictureFraming {
        let name = try index.string("source_fit", default: PictureFit.stretch.rawValue)
        guard let fit = PictureFit(rawValue: name) else {
            throw PipelineError(
                .invalidModel,
                "\(index.path): \"source_fit\" must be \"stretch\", \"crop\" or \"pad\", but it is "
                    + name.prefix(80).debugDescription)
        }
        let aspects = PictureFraming.aspects
        let aspect = try index.number("picture_aspect", default: 0, in: 0...aspects.upperBound)
        guard aspect == 0 || aspect >= aspects.lowerBound else {
            throw PipelineError(
                .invalidModel,
                "\(index.path): \"picture_aspect\" must be a number from \(aspects.lowerBound) to "
                    + "\(aspects.upperBound), but it is \(aspect)")
        }
        return PictureFraming(fit: fit, aspect: aspect == 0 ? nil : aspect)
    }

    /// The types that the parts compute in: where none is asked for, 8 bits, if the model allows them and the part's
    /// device has them; the autoencoder's, which has no product in 8 bits, stays the device's preference.
    ///
    /// - Throws: `BackendError` when a device cannot be asked.
    package func types(_ asked: PartTypes, on devices: PlacedDevices) throws -> PartTypes {
        guard allowsEightBits else { return asked }
        var types = asked
        for part in Placement.Part.allCases where part != .vae && asked[part] == nil {
            if try devices[part].info().dtypes.contains(.i8) { types[part] = .i8 }
        }
        return types
    }

    /// The path of one part's folder.
    package func part(_ name: String) -> String { path + "/" + name }
}
