/// Features of one picture on the host, [H, W, C].
struct FeatureMap {
    let height: Int
    let width: Int
    let channels: Int
    let values: [Float]

    /// The largest of each window of every channel; windows lie wholly inside.
    func pooled(window: Int, stride: Int) -> FeatureMap {
        let rows = max((height - window) / stride + 1, 0)
        let columns = max((width - window) / stride + 1, 0)
        var result = [Float](
            repeating: -.infinity,
            count: height < window || width < window ? 0 : rows * columns * channels)
        guard !result.isEmpty else {
            return FeatureMap(height: 0, width: 0, channels: channels, values: [])
        }
        result.withUnsafeMutableBufferPointer { target in
            values.withUnsafeBufferPointer { source in
                for index in 0..<rows * columns * window * window {
                    let (cell, offset) = index.quotientAndRemainder(dividingBy: window * window)
                    let row = cell / columns * stride + offset / window
                    let column = cell % columns * stride + offset % window
                    let from = (row * width + column) * channels
                    let to = cell * channels
                    for channel in 0..<channels {
                        target[to + channel] = max(target[to + channel], source[from + channel])
                    }
                }
            }
        }
        return FeatureMap(height: rows, width: columns, channels: channels, values: result)
    }

    /// The weighted squared distance to another map of the same size, each pixel's features brought to
    /// length 1 first; the mean over the pixels.
    func distance(to other: FeatureMap, weights: [Float]) -> Double {
        var sum = 0.0
        for start in stride(from: 0, to: values.count, by: channels) {
            let (a, b) = (reciprocal(start), other.reciprocal(start))
            for channel in 0..<channels {
                let difference =
                    Double(values[start + channel]) * a - Double(other.values[start + channel]) * b
                sum += Double(weights[channel]) * difference * difference
            }
        }
        return sum / Double(height * width)
    }

    /// One over the length of a pixel's features.
    private func reciprocal(_ start: Int) -> Double {
        var squares = 0.0
        for channel in 0..<channels {
            squares += Double(values[start + channel]) * Double(values[start + channel])
        }
        return 1 / (squares.squareRoot() + 1e-10)
    }
}
