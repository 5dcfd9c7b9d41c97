import PosedTensor
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

/// A tensor as files have it: row-major on the host, pictures and latents channels-first.
struct HostTensor {
    let shape: [Int]
    let values: [Float]

    /// Values of a shape that counts as many.
    init(_ shape: [Int], _ values: [Float]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for \(shape)")
        self.shape = shape
        self.values = values
    }

    /// Tensors of one shape, stacked: a new first axis.
    init(stacking rows: [HostTensor]) {
        self.init([rows.count] + (rows.first?.shape ?? []), rows.flatMap(\.values))
    }

    /// One element of the first axis, the axis dropped.
    subscript(row: Int) -> HostTensor {
        let size = values.count / max(shape[0], 1)
        return HostTensor(
            Array(shape.dropFirst()), Array(values[row * size..<(row + 1) * size]))
    }

    /// The same values in another shape.
    func reshaped(_ shape: [Int]) -> HostTensor { HostTensor(shape, values) }

    /// [… C, h, w] as [… h, w, C].
    func channelsLast() -> HostTensor {
        let (c, h, w) = tail
        return moved(to: Array(shape.dropLast(3)) + [h, w, c], inner: c) { pixel, channel in
            channel * h * w + pixel
        }
    }

    /// [… h, w, C] as [… C, h, w].
    func channelsFirst() -> HostTensor {
        let (h, w, c) = tail
        return moved(to: Array(shape.dropLast(3)) + [c, h, w], inner: h * w) { channel, pixel in
            pixel * c + channel
        }
    }

    private var tail: (Int, Int, Int) {
        (shape[shape.count - 3], shape[shape.count - 2], shape[shape.count - 1])
    }

    /// The values in another order: element (outer, inner) of a block comes from `source`.
    private func moved(to shape: [Int], inner: Int, _ source: (Int, Int) -> Int) -> HostTensor {
        let block = shape.suffix(3).reduce(1, *)
        let moved = [Float](unsafeUninitializedCapacity: values.count) { target, filled in
            for start in stride(from: 0, to: values.count, by: max(block, 1)) {
                for outer in 0..<block / max(inner, 1) {
                    for index in 0..<inner {
                        target[start + outer * inner + index] = values[start + source(outer, index)]
                    }
                }
            }
            filled = values.count
        }
        return HostTensor(shape, moved)
    }
}

extension Compute {
    /// The tensor on the device, float32.
    func tensor(_ host: HostTensor) throws -> Tensor { try tensor(host.values, host.shape) }

    /// A device's tensor on the host.
    func host(_ tensor: Tensor) throws -> HostTensor {
        HostTensor(tensor.shape, try floats(tensor))
    }
}
