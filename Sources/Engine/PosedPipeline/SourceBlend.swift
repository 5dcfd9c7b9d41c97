import Foundation
package import PosedModels
package import PosedVision

/// A detail decoder without weights: brings the source's own pixels into a decoded picture.
///
/// What the decoder paints is softer than the source. Where the picture looks like the autoencoder's
/// reconstruction of the source, the two show the same thing, so the source's pixels take the
/// picture's place there. Both colours and structure must be alike: by colours alone, outlines of
/// the source would shine through where the person has moved away. Cells of 4 × 4 pixels are compared
/// and blurred, so that single pixels decide nothing.
package struct SourceBlend: Sendable, Equatable {
    /// The deviation of the blur, in pixels.
    package let sigma: Double
    /// The blurred difference, in half ranges, at which the source's share has fallen to 1/e.
    package let tolerance: Double
    /// The variance of the brightness, in squares of half ranges, that counts as none.
    package let flatness: Double

    /// The side of a cell, in pixels.
    package static let cell = 4

    /// A blend as described.
    package init(sigma: Double, tolerance: Double, flatness: Double) {
        self.sigma = sigma
        self.tolerance = tolerance
        self.flatness = flatness
    }

    /// Reads the `config.json` in a model's `detail_decoder` folder; nil where there is none.
    ///
    /// - Throws: `ModelError`, or `PipelineError` `.invalidModel` for a class that is not known.
    package init?(folder path: String) throws {
        let file = path + "/config.json"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw PipelineError(.invalidModel, "\(file): the file cannot be read")
        }
        let configuration = try ConfigurationFile(data, path: file)
        let name = try configuration.string("_class_name")
        guard name == "SourceBlend" else {
            throw PipelineError(
                .invalidModel,
                "\(file): the class \"SourceBlend\" was expected, but it is "
                    + name.prefix(80).debugDescription)
        }
        sigma = try configuration.number("sigma", in: 0.5...64)
        tolerance = try configuration.number("tolerance", in: 0.001...2)
        flatness = try configuration.number("flatness", in: 0.000_001...4)
    }

    /// A picture with the source's pixels where both show the same thing. All pictures have one size.
    ///
    /// - Throws: `VisionError` `.invalidSize` for a source of another size.
    package func blend(_ picture: Image, with detail: SourceDetail) throws -> Image {
        guard detail.source.count == picture.bytes.count,
            detail.reconstruction.count == picture.bytes.count
        else {
            throw VisionError(
                .invalidSize,
                "a source of \(picture.width) × \(picture.height) pixels expected for its details")
        }
        let cells = Cells(width: picture.width / Self.cell, height: picture.height / Self.cell)
        let (ours, theirs) = (
            cells.brightness(picture.bytes), cells.brightness(detail.reconstruction)
        )
        func blurred(_ values: [Float]) -> [Float] {
            cells.blurred(values, deviation: sigma / Double(Self.cell))
        }
        let apart = blurred(cells.differences(picture.bytes, detail.reconstruction))
        let (ourMean, theirMean) = (blurred(ours), blurred(theirs))
        let squares = blurred(zip(ours, theirs).map { $0 * $0 + $1 * $1 })
        let products = blurred(zip(ours, theirs).map { $0 * $1 })
        let (scale, flat) = (Float(1 / tolerance), Float(flatness))
        let shares = apart.indices.map { index in
            let (mean, other) = (ourMean[index], theirMean[index])
            let together = 2 * (products[index] - mean * other) + flat
            let both = squares[index] - mean * mean - other * other + flat
            let structure = max(together / both, 0)
            let ratio = apart[index] * scale
            return exp(-ratio * ratio) * structure * structure
        }
        return try Image(
            width: picture.width, height: picture.height,
            bytes: cells.mixed(picture.bytes, detail.source, shares: shares))
    }

    /// The shares of the source at a picture's cells.
    private struct Cells {
        let width: Int
        let height: Int

        /// Bytes of a row of pixels.
        private var stride: Int { width * SourceBlend.cell * 3 }

        /// The mean brightness of each cell, in half ranges.
        func brightness(_ bytes: [UInt8]) -> [Float] {
            bytes.withUnsafeBufferPointer { bytes in means { Int32(bytes[$0]) } }
        }

        /// The mean difference of two pictures in each cell, in half ranges.
        func differences(_ one: [UInt8], _ other: [UInt8]) -> [Float] {
            one.withUnsafeBufferPointer { one in
                other.withUnsafeBufferPointer { other in
                    means { abs(Int32(one[$0]) &- Int32(other[$0])) }
                }
            }
        }

        /// The mean of a value of every byte in each cell, in half ranges.
        @inline(__always)
        private func means(_ value: (Int) -> Int32) -> [Float] {
            let cellBytes = SourceBlend.cell * 3
            let scale = 1 / (Float(cellBytes * SourceBlend.cell) * 127.5)
            var sums = [Int32](repeating: 0, count: width * height)
            for row in 0..<height * SourceBlend.cell {
                for column in 0..<width {
                    let start = row * stride + column * cellBytes
                    var sum: Int32 = 0
                    for byte in start..<start + cellBytes { sum &+= value(byte) }
                    sums[row / SourceBlend.cell * width + column] &+= sum
                }
            }
            return sums.map { Float($0) * scale }
        }

        /// A Gaussian blur, to three deviations; beyond the edge cells are mirrored.
        func blurred(_ values: [Float], deviation: Double) -> [Float] {
            let radius = Int((3 * deviation).rounded(.up))
            var window = (-radius...radius).map {
                exp(-Double($0 * $0) / (2 * deviation * deviation))
            }
            let total = window.reduce(0, +)
            window = window.map { $0 / total }
            let reach = window.count
            func along(
                _ values: [Float], count: Int, step: Int, lines: Int, lineStep: Int
            ) -> [Float] {
                let places = (0..<count).flatMap { place in
                    (-radius...radius).map { Self.mirrored(place + $0, count) * step }
                }
                var result = values
                for line in 0..<lines {
                    for place in 0..<count {
                        var sum = 0.0
                        for tap in 0..<reach {
                            let at = line * lineStep + places[place * reach + tap]
                            sum += window[tap] * Double(values[at])
                        }
                        result[line * lineStep + place * step] = Float(sum)
                    }
                }
                return result
            }
            let rows = along(values, count: width, step: 1, lines: height, lineStep: width)
            return along(rows, count: height, step: width, lines: width, lineStep: 1)
        }

        /// A place beyond the edge as the one that mirrors it, however far away it is.
        private static func mirrored(_ place: Int, _ count: Int) -> Int {
            let period = 2 * count
            let at = ((place % period) + period) % period
            return at < count ? at : period - 1 - at
        }

        /// `picture` + share · (`source` − `picture`), the shares interpolated between the cells'
        /// middles.
        func mixed(_ picture: [UInt8], _ source: [UInt8], shares: [Float]) -> [UInt8] {
            let cell = SourceBlend.cell
            let places = (0..<cell).map { (Float($0) + 0.5) / Float(cell) - 0.5 }
            var line = [Float](repeating: 0, count: width)
            return [UInt8](unsafeUninitializedCapacity: picture.count) { buffer, filled in
                for row in 0..<height * cell {
                    let (index, place) = (row / cell, places[row % cell])
                    let near = place < 0 ? max(index - 1, 0) : min(index + 1, height - 1)
                    for column in 0..<width {
                        let here = shares[index * width + column]
                        line[column] = here + abs(place) * (shares[near * width + column] - here)
                    }
                    for column in 0..<width {
                        let (before, here) = (line[max(column - 1, 0)], line[column])
                        let after = line[min(column + 1, width - 1)]
                        for (pixel, place) in places.enumerated() {
                            let share = here + abs(place) * ((place < 0 ? before : after) - here)
                            let start = row * stride + (column * cell + pixel) * 3
                            for byte in start..<start + 3 {
                                let old = Float(picture[byte])
                                let new = old + share * (Float(source[byte]) - old)
                                buffer[byte] = UInt8(new + 0.5)
                            }
                        }
                    }
                }
                filled = picture.count
            }
        }
    }
}
