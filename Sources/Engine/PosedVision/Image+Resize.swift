extension Image {
    /// The picture at another size, equal to Pillow's `Image.resize` to the last byte.
    ///
    /// Antialiased: when shrinking, the filter widens with the scale. Each of the two passes is
    /// rounded and clipped to 8 bits, so their order shows in last bits; it is that of Pillow 13.
    /// Throws `invalidSize`.
    package func resized(
        width newWidth: Int, height newHeight: Int, filter: Resampling = .bicubic
    ) throws -> Image {
        _ = try Image.byteCount(width: newWidth, height: newHeight)
        // Pillow before 13 always began with the columns.
        let rowsFirst = newHeight < height && height - newHeight > 2 * (width - newWidth)
        if rowsFirst {
            return resizedRows(to: newHeight, filter).resizedColumns(to: newWidth, filter)
        }
        return resizedColumns(to: newWidth, filter).resizedRows(to: newHeight, filter)
    }

    private func resizedColumns(to newWidth: Int, _ filter: Resampling) -> Image {
        guard newWidth != width else { return self }
        return resampledColumns(
            ResampleWindows(input: width, box: 0..<Double(width), output: newWidth, filter: filter))
    }

    private func resizedRows(to newHeight: Int, _ filter: Resampling) -> Image {
        guard newHeight != height else { return self }
        return resampledRows(
            ResampleWindows(
                input: height, box: 0..<Double(height), output: newHeight, filter: filter))
    }

    /// The horizontal pass: `[H, W, 3]` → `[H, windows, 3]`.
    private func resampledColumns(_ windows: ResampleWindows) -> Image {
        let newWidth = windows.starts.count
        let count = newWidth * height * 3
        let result = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            bytes.withUnsafeBufferPointer { source in
                windows.weights.withUnsafeBufferPointer { weights in
                    for y in 0..<height {
                        Image.resampleRow(
                            UnsafeBufferPointer(rebasing: source[(y * width * 3)...]),
                            windows, weights,
                            into: UnsafeMutableBufferPointer(
                                rebasing: output[(y * newWidth * 3)...]))
                    }
                }
            }
            initialized = count
        }
        return Image(checkedWidth: newWidth, height: height, bytes: result)
    }

    private static func resampleRow(
        _ source: UnsafeBufferPointer<UInt8>, _ windows: ResampleWindows,
        _ weights: UnsafeBufferPointer<Int32>, into output: UnsafeMutableBufferPointer<UInt8>
    ) {
        for x in 0..<windows.starts.count {
            var sum = SIMD4<Int32>(repeating: ResampleWindows.half)
            let first = windows.starts[x] * 3
            let firstWeight = x * windows.stride
            for index in 0..<windows.counts[x] {
                let at = first + index * 3
                let pixel = SIMD4<Int32>(
                    Int32(source[at]), Int32(source[at + 1]), Int32(source[at + 2]), 0)
                sum &+= pixel &* weights[firstWeight + index]
            }
            output[x * 3] = ResampleWindows.clip(sum[0])
            output[x * 3 + 1] = ResampleWindows.clip(sum[1])
            output[x * 3 + 2] = ResampleWindows.clip(sum[2])
        }
    }

    /// The vertical pass: `[H, W, 3]` → `[windows, W, 3]`.
    private func resampledRows(_ windows: ResampleWindows) -> Image {
        let newHeight = windows.starts.count
        let rowCount = width * 3
        let count = newHeight * rowCount
        var sums = [Int32](repeating: 0, count: rowCount)
        let result = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            bytes.withUnsafeBufferPointer { source in
                sums.withUnsafeMutableBufferPointer { sums in
                    for y in 0..<newHeight {
                        sums.update(repeating: ResampleWindows.half)
                        for index in 0..<windows.counts[y] {
                            let weight = windows.weights[y * windows.stride + index]
                            let row = (windows.starts[y] + index) * rowCount
                            for i in 0..<rowCount {
                                sums[i] &+= Int32(source[row + i]) &* weight
                            }
                        }
                        for i in 0..<rowCount {
                            output[y * rowCount + i] = ResampleWindows.clip(sums[i])
                        }
                    }
                }
            }
            initialized = count
        }
        return Image(checkedWidth: width, height: newHeight, bytes: result)
    }
}

/// The filters that a picture is resized with, antialiased as Pillow does it.
package enum Resampling: Int, Sendable, CaseIterable {
    /// Triangle filter; Pillow's number 2.
    case bilinear = 2
    /// Cubic convolution with a = −0.5; Pillow's number 3.
    case bicubic = 3

    /// How far the filter reaches from its centre, in source pixels when enlarging.
    var support: Double {
        switch self {
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    /// The filter's value at a distance from its centre.
    func weight(at distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .bilinear:
            return x < 1 ? 1 - x : 0
        case .bicubic:
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        }
    }
}

/// For every output position along one axis: where its source samples begin, and their weights.
///
/// Weights are fixed-point with 22 fractional bits, the arithmetic of Pillow's 8-bit resize: what
/// comes out of the two passes is equal to Pillow's to the last byte.
struct ResampleWindows {
    /// Fractional bits: 32, less 8 of the sample, less 2 of headroom for overshooting filters.
    static let precision: Int32 = 22

    /// The first source sample of each output position.
    let starts: [Int]
    /// The number of source samples of each output position.
    let counts: [Int]
    /// The weights, `stride` apart.
    let weights: [Int32]
    /// The distance between the weights of neighbouring output positions.
    let stride: Int

    /// Windows that take the interval `box` of a source of `input` samples to `output` samples.
    init(input: Int, box: Range<Double>, output: Int, filter: Resampling) {
        let scale = (box.upperBound - box.lowerBound) / Double(output)
        let widening = max(scale, 1)
        let support = filter.support * widening
        let stride = Int(support.rounded(.up)) * 2 + 1
        var starts = [Int](repeating: 0, count: output)
        var counts = [Int](repeating: 0, count: output)
        var weights = [Int32](repeating: 0, count: output * stride)
        var exact = [Double](repeating: 0, count: stride)
        let shrink = 1 / widening
        for position in 0..<output {
            let center = box.lowerBound + (Double(position) + 0.5) * scale
            let start = max(Int(center - support + 0.5), 0)
            let count = min(Int(center + support + 0.5), input) - start
            var sum = 0.0
            for index in 0..<count {
                let distance = Double(index + start) - center + 0.5
                exact[index] = filter.weight(at: distance * shrink)
                sum += exact[index]
            }
            for index in 0..<count {
                let normalized = sum == 0 ? exact[index] : exact[index] / sum
                weights[position * stride + index] = ResampleWindows.fixed(normalized)
            }
            starts[position] = start
            counts[position] = count
        }
        self.starts = starts
        self.counts = counts
        self.weights = weights
        self.stride = stride
    }

    private static func fixed(_ weight: Double) -> Int32 {
        let scaled = weight * Double(1 << precision)
        return Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5)
    }

    /// A fixed-point sum as a sample, clipped to 0…255.
    @inline(__always)
    static func clip(_ sum: Int32) -> UInt8 {
        UInt8(truncatingIfNeeded: min(max(sum >> precision, 0), 255))
    }

    /// Half a unit, where every fixed-point sum starts.
    static let half: Int32 = 1 << (precision - 1)
}

/// Resizing of float pictures without antialiasing, as PyTorch's `interpolate` does it with
/// `align_corners=False`: the filter keeps its width whatever the scale, pixels beyond the edge are those at the
/// edge, and nothing is clamped or rounded.
struct PlainResize {
    /// For each output position, its four source positions and their weights.
    private struct Axis {
        let taps: [(places: SIMD4<Int>, weights: SIMD4<Float>)]

        init(from input: Int, to output: Int, filter: Resampling) {
            let scale = Double(input) / Double(output)
            taps = (0..<output).map { position in
                let center = (Double(position) + 0.5) * scale - 0.5
                // PyTorch's linear filter does not look beyond the first pixel.
                let place = filter == .bilinear ? max(center, 0) : center
                let first = place.rounded(.down)
                let share = place - first
                let places = SIMD4(-1, 0, 1, 2) &+ Int(first)
                return (
                    places.clamped(
                        lowerBound: SIMD4(repeating: 0), upperBound: .init(repeating: input - 1)),
                    SIMD4<Float>(Axis.weights(share, filter))
                )
            }
        }

        /// The weights of the pixels before, at, after and after that of a place that lies `share` past one.
        private static func weights(_ share: Double, _ filter: Resampling) -> SIMD4<Double> {
            if filter == .bilinear { return SIMD4(0, 1 - share, share, 0) }
            let a = -0.75
            func near(_ x: Double) -> Double { ((a + 2) * x - (a + 3)) * x * x + 1 }
            func far(_ x: Double) -> Double { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
            return SIMD4(far(1 + share), near(share), near(1 - share), far(2 - share))
        }
    }

    private let columns: Axis
    private let rows: Axis
    private let width: Int

    /// From one size to another.
    init(
        from input: (width: Int, height: Int), to output: (width: Int, height: Int),
        filter: Resampling
    ) {
        columns = Axis(from: input.width, to: output.width, filter: filter)
        rows = Axis(from: input.height, to: output.height, filter: filter)
        width = input.width
    }

    /// `[H, W, 3]` to `[H', W', 3]`.
    func callAsFunction(_ pixels: [Float]) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(rows.taps.count * columns.taps.count * 3)
        var line = [Float](repeating: 0, count: width * 3)
        for (places, weights) in rows.taps {
            for index in line.indices {
                var sum: Float = 0
                for tap in 0..<4 { sum += weights[tap] * pixels[places[tap] * width * 3 + index] }
                line[index] = sum
            }
            for (places, weights) in columns.taps {
                for channel in 0..<3 {
                    var sum: Float = 0
                    for tap in 0..<4 { sum += weights[tap] * line[places[tap] * 3 + channel] }
                    result.append(sum)
                }
            }
        }
        return result
    }
}
