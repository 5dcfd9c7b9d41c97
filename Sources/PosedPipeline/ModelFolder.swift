import Foundation
import PosedModels

/// The layout of a model on disk: which parts there are, and of which classes.
package struct ModelFolder: Sendable {
    /// The folder's path.
    package let path: String
    /// Whether the pose has an image encoder of its own.
    package let hasPoseEncoder: Bool
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
        for part in ["vae", "source_encoder", "transformer"] {
            guard FileManager.default.fileExists(atPath: path + "/" + part + "/config.json") else {
                throw PipelineError(
                    .invalidModel, "\(path): no \(part)/config.json, which every model folder has")
            }
        }
        hasPoseEncoder = FileManager.default.fileExists(atPath: path + "/pose_encoder/config.json")
        sampler = try SamplerDefaults(folder: path + "/sampler")
    }

    /// The path of one part's folder.
    package func part(_ name: String) -> String { path + "/" + name }
}
