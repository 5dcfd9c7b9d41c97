import PosedBackend
import PosedTensor

/// Position embeddings on the device, interpolated once for each size of picture that is in use.
final class PositionCache: Sendable {
    private struct Size: Hashable {
        let rows: Int
        let columns: Int
    }

    private let grid: PositionGrid
    private let storages = WeakCache<Size, Storage>()

    init(_ grid: PositionGrid) { self.grid = grid }

    /// The embeddings of a picture of `rows` × `columns` patches: [rows · columns, D] float32.
    ///
    /// They are found again as long as a tensor or a captured graph keeps them. Otherwise the call uploads
    /// them, and so must not be part of a capture.
    func embeddings(rows: Int, columns: Int, on compute: Compute) throws -> Tensor {
        let shape = [rows * columns, grid.width]
        let storage = try storages.value(Size(rows: rows, columns: columns)) {
            let values =
                rows == grid.side && columns == grid.side
                ? grid.values : grid.interpolated(rows: rows, columns: columns)
            let tensor = try compute.tensor(values, shape)
            try compute.synchronize()  // other streams may use it next
            return tensor.storage
        }
        return Tensor(storage: storage, dtype: .f32, shape: shape)
    }
}

/// Position embeddings of a square grid of patches, on the host, and their interpolation to another.
struct PositionGrid: Sendable {
    /// Patches along a side.
    let side: Int
    /// Features of an embedding.
    let width: Int
    /// [side, side, width], row-major.
    let values: [Float]
    /// Whether interpolation is antialiased, as it is where there are registers.
    let antialias: Bool

    /// The embeddings for a picture of `rows` × `columns` patches, [rows · columns, width].
    func interpolated(rows: Int, columns: Int) -> [Float] {
        let wide = alongColumns(BicubicAxis(inputs: side, outputs: columns, antialias: antialias))
        return alongRows(
            BicubicAxis(inputs: side, outputs: rows, antialias: antialias), of: wide,
            rowSize: columns * width)
    }

    /// [side, side, width] to [side, columns, width].
    private func alongColumns(_ axis: BicubicAxis) -> [Float] {
        var result = [Float](repeating: 0, count: side * axis.taps.count * width)
        for row in 0..<side {
            for (column, taps) in axis.taps.enumerated() {
                let target = (row * axis.taps.count + column) * width
                for tap in taps {
                    let source = (row * side + tap.index) * width
                    for feature in 0..<width {
                        result[target + feature] += tap.weight * values[source + feature]
                    }
                }
            }
        }
        return result
    }

    /// [side, rowSize] to [rows, rowSize].
    private func alongRows(_ axis: BicubicAxis, of input: [Float], rowSize: Int) -> [Float] {
        var result = [Float](repeating: 0, count: axis.taps.count * rowSize)
        for (row, taps) in axis.taps.enumerated() {
            for tap in taps {
                let (target, source) = (row * rowSize, tap.index * rowSize)
                for index in 0..<rowSize {
                    result[target + index] += tap.weight * input[source + index]
                }
            }
        }
        return result
    }
}

/// Bicubic interpolation along one axis: for each result, the inputs that count and their weights.
///
/// It agrees with PyTorch's `interpolate` with `align_corners` false: plain with a = −0.75 and edges
/// repeated, or antialiased with a = −0.5, the filter widened when the axis shrinks, and weights of
/// what lies inside normalised.
struct BicubicAxis {
    /// One input and its weight.
    struct Tap {
        let index: Int
        let weight: Float
    }

    /// The inputs of each result.
    let taps: [[Tap]]

    /// From `inputs` samples to `outputs`, both at least 1.
    init(inputs: Int, outputs: Int, antialias: Bool) {
        let scale = Double(inputs) / Double(outputs)
        taps = (0..<outputs).map { output in
            antialias
                ? Self.antialiased(output, scale: scale, inputs: inputs)
                : Self.plain(output, scale: scale, inputs: inputs)
        }
    }

    private static func plain(_ output: Int, scale: Double, inputs: Int) -> [Tap] {
        let center = scale * (Double(output) + 0.5) - 0.5
        let base = center.rounded(.down)
        return (-1...2).map { step in
            let distance = center - base - Double(step)
            return Tap(
                index: min(max(Int(base) + step, 0), inputs - 1),
                weight: Float(kernel(distance, a: -0.75)))
        }
    }

    private static func antialiased(_ output: Int, scale: Double, inputs: Int) -> [Tap] {
        let center = scale * (Double(output) + 0.5)
        let stretch = max(scale, 1)
        let lower = max(Int(center - 2 * stretch + 0.5), 0)
        let upper = min(Int(center + 2 * stretch + 0.5), inputs)
        let weights = (lower..<upper).map { index in
            kernel((Double(index) - center + 0.5) / stretch, a: -0.5)
        }
        let sum = weights.reduce(0, +)
        return zip(lower..<upper, weights).map { Tap(index: $0, weight: Float($1 / sum)) }
    }

    /// Keys' cubic convolution kernel.
    private static func kernel(_ distance: Double, a: Double) -> Double {
        let x = abs(distance)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
        return 0
    }
}
