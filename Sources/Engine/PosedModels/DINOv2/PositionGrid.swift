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
