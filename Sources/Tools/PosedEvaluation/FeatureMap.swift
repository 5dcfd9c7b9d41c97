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

    /// Maps of one size side by side, their channels in order.
    init(joining maps: [FeatureMap]) {
        guard maps.count > 1, let first = maps.first else {
            self = maps.first ?? FeatureMap(height: 0, width: 0, channels: 0, values: [])
            return
        }
        let total = maps.reduce(0) { $0 + $1.channels }
        var joined: [Float] = []
        joined.reserveCapacity(first.height * first.width * total)
        for pixel in 0..<(first.height * first.width) {
            for map in maps {
                joined.append(
                    contentsOf: map.values[(pixel * map.channels)..<((pixel + 1) * map.channels)])
            }
        }
        self.init(height: first.height, width: first.width, channels: total, values: joined)
    }

    init(height: Int, width: Int, channels: Int, values: [Float]) {
        self.height = height
        self.width = width
        self.channels = channels
        self.values = values
    }

    /// The mean of each channel.
    var means: [Float] {
        var sums = [Float](repeating: 0, count: channels)
        for start in stride(from: 0, to: values.count, by: channels) {
            for channel in 0..<channels { sums[channel] += values[start + channel] }
        }
        let count = Float(max(height * width, 1))
        return sums.map { $0 / count }
    }

    /// The largest, or the mean, of the 3 × 3 places around each, those inside the map alone.
    func smoothed(takingLargest: Bool) -> FeatureMap {
        var result = [Float](repeating: takingLargest ? -.infinity : 0, count: values.count)
        result.withUnsafeMutableBufferPointer { target in
            values.withUnsafeBufferPointer { source in
                for y in 0..<height {
                    let rows = max(y - 1, 0)..<min(y + 2, height)
                    for x in 0..<width {
                        let columns = max(x - 1, 0)..<min(x + 2, width)
                        let share = 1 / Float(rows.count * columns.count)
                        let to = (y * width + x) * channels
                        let places = rows.flatMap { row in columns.map { row * width + $0 } }
                        for place in places {
                            let from = place * channels
                            for channel in 0..<channels {
                                let value = source[from + channel]
                                target[to + channel] =
                                    takingLargest
                                    ? max(target[to + channel], value)
                                    : target[to + channel] + value * share
                            }
                        }
                    }
                }
            }
        }
        return FeatureMap(height: height, width: width, channels: channels, values: result)
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
