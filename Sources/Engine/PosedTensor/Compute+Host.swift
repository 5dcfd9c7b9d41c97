package import PosedBackend

/// A tensor's elements in the host's memory, in row-major order.
package struct HostTensor: Hashable, Sendable {
    package let dtype: DType
    package let shape: [Int]
    package let bytes: [UInt8]

    /// Elements as given; nil where the bytes are not as many as the shape says.
    package init?(dtype: DType, shape: [Int], bytes: [UInt8]) {
        var count = dtype.size
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { return nil }
            count = product
        }
        guard bytes.count == count else { return nil }
        (self.dtype, self.shape, self.bytes) = (dtype, shape, bytes)
    }
}

extension Compute {
    /// The tensor on the host; waits for the stream.
    ///
    /// - Throws: `BackendError` when earlier work failed.
    package func download(_ tensor: Tensor) throws -> HostTensor? {
        var dense = tensor
        if !tensor.isDense {
            dense = try scratch(tensor.shape, tensor.dtype)
            try copy(tensor, to: dense)
        }
        var bytes = [UInt8](repeating: 0, count: dense.byteCount)
        try bytes.withUnsafeMutableBytes {
            try stream.download(
                dense.storage.buffer, at: dense.offset * dense.dtype.size, into: $0)
        }
        try synchronize()
        return HostTensor(dtype: dense.dtype, shape: dense.shape, bytes: bytes)
    }

    /// A new persistent tensor of what was downloaded.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func upload(_ saved: HostTensor) throws -> Tensor {
        let tensor = try persistent(saved.shape, saved.dtype)
        try saved.bytes.withUnsafeBytes {
            try stream.upload($0, to: tensor.storage.buffer, at: 0)
        }
        return tensor
    }

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
