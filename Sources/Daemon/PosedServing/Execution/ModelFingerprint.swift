import Foundation
import PosedPipeline
import PosedSessions

/// The name of a model's content: SHA-256 over the paths and the bytes of its folder's configurations
/// and weights.
enum ModelFingerprint {
    /// Bytes read at once.
    private static let chunk = 4 << 20

    /// The fingerprint of a model's folder. Reads all of it.
    ///
    /// - Throws: `PipelineError` for a file that cannot be read.
    static func make(folder: String) throws(PipelineError) -> ContentKey {
        var hasher = ContentHasher(kind: "model")
        let paths =
            FileManager.default.enumerator(atPath: folder)?
            .compactMap { $0 as? String }
            .filter { $0.hasSuffix(".json") || $0.hasSuffix(".safetensors") }
            .sorted() ?? []
        for path in paths {
            guard let file = FileHandle(forReadingAtPath: folder + "/" + path) else {
                throw PipelineError(.invalidModel, "\(folder)/\(path): the file cannot be read")
            }
            hasher.combine("path", path)
            do {
                while let bytes = try file.read(upToCount: chunk), !bytes.isEmpty {
                    hasher.combine("bytes", Array(bytes))
                }
                try file.close()
            } catch {
                throw PipelineError(
                    .invalidModel, "\(folder)/\(path): the file cannot be read", cause: error)
            }
        }
        return hasher.key()
    }
}
