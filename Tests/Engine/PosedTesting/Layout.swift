/// Layouts of tensors, on the host.
package enum Layout {
    /// [N, C, H, W] to [N, H, W, C].
    package static func channelsLast(_ values: [Float], _ shape: [Int]) -> [Float] {
        let (channels, pixels) = (shape[1], shape[2] * shape[3])
        return transposed(values, images: shape[0], rows: channels, columns: pixels)
    }

    /// [N, H, W, C] to [N, C, H, W].
    package static func channelsFirst(_ values: [Float], _ shape: [Int]) -> [Float] {
        transposed(
            values, images: shape[0], rows: shape[1] * shape[2], columns: shape[3])
    }

    private static func transposed(
        _ values: [Float], images: Int, rows: Int, columns: Int
    ) -> [Float] {
        var result = values
        for image in 0..<images {
            let base = image * rows * columns
            for row in 0..<rows {
                for column in 0..<columns {
                    result[base + column * rows + row] = values[base + row * columns + column]
                }
            }
        }
        return result
    }
}
