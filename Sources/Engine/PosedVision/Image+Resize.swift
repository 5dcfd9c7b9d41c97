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
