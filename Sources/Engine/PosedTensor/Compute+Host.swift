import PosedBackend

extension Compute {
    /// Copies float32 values to a dense float32 tensor.
    ///
    /// - Throws: `BackendError` when the backend fails.
    package func upload(_ values: [Float], to tensor: Tensor) throws {
        precondition(tensor.dtype == .f32 && tensor.isDense && values.count == tensor.count)
        try values.withUnsafeBytes {
            try stream.upload($0, to: tensor.storage.buffer, at: tensor.offset * tensor.dtype.size)
        }
    }

    /// A new float32 tensor with these values; persistent unless `scratch` is asked for.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func tensor(_ values: [Float], _ shape: [Int], scratch isScratch: Bool = false) throws
        -> Tensor
    {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for \(shape)")
        let tensor = try isScratch ? scratch(shape, .f32) : persistent(shape, .f32)
        try upload(values, to: tensor)
        return tensor
    }

    /// The tensor's values on the host, in row-major order; waits for the stream.
    ///
    /// - Throws: `BackendError` when earlier work failed.
    package func floats(_ tensor: Tensor) throws -> [Float] {
        var dense = tensor
        if tensor.dtype != .f32 || !tensor.isDense {
            dense = try scratch(tensor.shape, .f32)
            try copy(tensor, to: dense)
        }
        var values = [Float](repeating: 0, count: dense.count)
        try values.withUnsafeMutableBytes {
            try stream.download(
                dense.storage.buffer, at: dense.offset * dense.dtype.size, into: $0)
        }
        try synchronize()
        return values
    }

    /// Whether all values of a dense float32 tensor are finite; waits for the stream.
    ///
    /// - Throws: `BackendError` when earlier work failed.
    package func isFinite(_ tensor: Tensor) throws -> Bool {
        precondition(tensor.dtype == .f32 && tensor.isDense)
        guard let address = tensor.storage.buffer.hostAddress else {
            return try floats(tensor).allSatisfy(\.isFinite)
        }
        try synchronize()
        let values = (address + tensor.offset * tensor.dtype.size)
            .assumingMemoryBound(to: Float.self)
        return UnsafeBufferPointer(start: values, count: tensor.count).allSatisfy(\.isFinite)
    }

    /// The bytes of a dense 8-bit tensor; waits for the stream.
    ///
    /// - Throws: `BackendError` when earlier work failed.
    package func bytes(_ tensor: Tensor) throws -> [UInt8] {
        precondition(tensor.dtype == .u8 && tensor.isDense)
        var values = [UInt8](repeating: 0, count: tensor.count)
        try values.withUnsafeMutableBytes {
            try stream.download(tensor.storage.buffer, at: tensor.offset, into: $0)
        }
        try synchronize()
        return values
    }
}
