import Foundation
import PosedTesting
import PosedWeights

/// A copy of a golden part with changes, removed when the value is gone.
final class TemporaryPart {
    let folder: String

    /// - Parameters:
    ///   - part: The part to start from, such as `tiny/vae`.
    ///   - file: Its file of weights, without the suffix.
    ///   - settings: Values put into the configuration; `NSNull` removes a key.
    ///   - tensor: What becomes of each tensor; nil drops it.
    init(
        _ part: String, file: String, settings: [String: Any] = [:],
        tensor: (WeightTensor) -> WeightTensor? = { $0 }
    ) throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-\(UUID().uuidString)")
        folder = url.path
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let origin = Goldens.url(part)
        let data = try Data(contentsOf: origin.appendingPathComponent("config.json"))
        var configuration = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        for (key, value) in settings {
            configuration[key] = value is NSNull ? nil : value
        }
        try JSONSerialization.data(withJSONObject: configuration)
            .write(to: url.appendingPathComponent("config.json"))
        var writer = SafetensorsWriter()
        for original in try WeightStore(folder: origin.path, base: file).tensors {
            if let changed = tensor(original) { try writer.add(changed) }
        }
        try writer.write(to: folder + "/\(file).safetensors")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

extension WeightTensor {
    /// The same elements in float32 under another name, in another shape.
    func renamed(_ name: String, shape: [Int]? = nil) -> WeightTensor? {
        WeightTensor(name: name, shape: shape ?? self.shape, floats: floats())
    }
}
