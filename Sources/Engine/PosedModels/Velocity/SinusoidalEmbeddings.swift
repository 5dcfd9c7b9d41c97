import Foundation

/// The fixed embeddings of place and time.
package enum SinusoidalEmbeddings {
    /// The two-dimensional sine-cosine embedding of MAE and DiT.
    ///
    /// The first half of the features comes from the column, the second from the row; each half is
    /// sines, then cosines, at frequencies 10000^(−i / (D/4)).
    ///
    /// - Parameter trained: The rows and columns of the grid that a model was trained with: another grid is
    ///   laid over the same range of indices. Nil: indices are those of the grid itself.
    /// - Returns: [rows · columns, features], row-major.
    package static func positions(
        rows: Int, columns: Int, features: Int, trained: (rows: Int, columns: Int)? = nil
    ) -> [Float] {
        let trained = trained ?? (rows, columns)
        let count = features / 4
        let frequencies = (0..<count).map { pow(10_000, -Double($0) / Double(count)) }
        func half(_ place: Double) -> [Float] {
            frequencies.map { Float(sin(place * $0)) } + frequencies.map { Float(cos(place * $0)) }
        }
        let ofColumn = (0..<columns).map { half(Double($0 * trained.columns) / Double(columns)) }
        let ofRow = (0..<rows).map { half(Double($0 * trained.rows) / Double(rows)) }
        return (0..<rows).flatMap { row in
            ofColumn.flatMap { $0 + ofRow[row] }
        }
    }

    /// Features of a time embedding.
    package static let timeFeatures = 256

    /// Cosines, then sines, of 1000 · t at 128 frequencies from 1 to 1/10000.
    package static func time(_ t: Double) -> [Float] {
        let count = timeFeatures / 2
        let angles = (0..<count).map {
            1000 * t * exp(-log(10_000) * Double($0) / Double(count))
        }
        return angles.map { Float(cos($0)) } + angles.map { Float(sin($0)) }
    }
}
