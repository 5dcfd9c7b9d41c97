import PosedWeights

/// A safetensors file of a part's inputs, read by name and by the legend of their shapes.
///
/// A legend is `N C h w`: a letter stands for one extent throughout the file, a number for itself.
struct TensorFile {
    /// The file's path.
    let path: String
    private let file: SafetensorsFile
    private var extents: [String: Int]

    /// Opens a file.
    ///
    /// - Parameter extents: What is known of the legend already: the model's channels and features.
    /// - Throws: `WeightsError` for a file that is none.
    init(path: String, extents: [String: Int] = [:]) throws {
        self.path = path
        self.extents = extents
        file = try SafetensorsFile(path: path)
    }

    /// Whether the file has a tensor of that name.
    func contains(_ name: String) -> Bool { file[name] != nil }

    /// The number of extents of a tensor; 0 if there is none of that name.
    func rank(_ name: String) -> Int { file[name]?.shape.count ?? 0 }

    /// The names of all tensors.
    var names: [String] { file.tensors.map(\.name) }

    /// A tensor whose shape follows the legend.
    ///
    /// - Throws: `PosekitError` `.invalidInput` that says what was expected and what came.
    mutating func tensor(_ name: String, _ legend: String) throws -> HostTensor {
        let tensor = try file.tensor(name)
        let letters = legend.split(separator: " ").map(String.init)
        guard tensor.dtype.isWeight else {
            throw PosekitError(
                .invalidInput,
                "\(path): \"\(name)\" must be F32, F16 or BF16, but it is \(tensor.dtype)")
        }
        var found = extents
        var fits = tensor.shape.count == letters.count && !tensor.shape.contains(0)
        for (letter, extent) in zip(letters, tensor.shape) {
            if let expected = Int(letter) ?? found[letter] {
                fits = fits && expected == extent
            } else {
                found[letter] = extent
            }
        }
        guard fits else {
            let known = letters.map { extents[$0].map(String.init) ?? $0 }.joined(separator: ", ")
            throw PosekitError(
                .invalidInput,
                "\(path): \"\(name)\" must be [\(letters.joined(separator: ", "))]"
                    + " = [\(known)], but its shape is \(tensor.shape)")
        }
        extents = found
        return HostTensor(tensor.shape, tensor.floats())
    }
}
