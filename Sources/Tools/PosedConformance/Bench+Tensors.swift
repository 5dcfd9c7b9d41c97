import CPosedBackend
import PosedBackend

extension Bench {
    /// A tensor with `values` in row-major order of the view; a broadcast axis takes the last of those
    /// that fall on one place.
    func tensor(
        _ values: [Float], _ layout: Layout, _ type: ElementType = .f32
    ) throws -> DeviceTensor {
        let tensor = try output(layout, type)
        try write(values, to: tensor)
        return tensor
    }

    /// A dense tensor with `values`.
    func tensor(
        _ values: [Float], _ shape: [Int], _ type: ElementType = .f32
    ) throws -> DeviceTensor {
        try tensor(values, .dense(shape), type)
    }

    /// A tensor full of filler, for results.
    func output(_ layout: Layout, _ type: ElementType = .f32) throws -> DeviceTensor {
        let bytes = layout.span * type.size + DeviceTensor.guardBytes
        let tensor = DeviceTensor(buffer: try buffer(bytes), layout: layout, type: type)
        try upload([UInt8](repeating: DeviceTensor.filler, count: bytes), to: tensor.buffer)
        return tensor
    }

    /// Replaces the contents of `tensor`.
    func write(_ values: [Float], to tensor: DeviceTensor) throws {
        var bytes = [UInt8](repeating: DeviceTensor.filler, count: tensor.bytes)
        bytes.withUnsafeMutableBytes { bytes in
            guard let memory = bytes.baseAddress else { return }
            for (place, value) in zip(tensor.layout.places, values) {
                tensor.type.store(value, in: memory, at: place)
            }
        }
        try upload(bytes, to: tensor.buffer)
    }

    /// Copies `bytes` to the start of `buffer`.
    func upload(_ bytes: [UInt8], to buffer: OpaquePointer, at offset: Int = 0) throws {
        try BackendError.check("upload") { error in
            bytes.withUnsafeBytes {
                plugin.table.pointee.upload?(
                    stream, buffer, UInt64(offset), $0.baseAddress, UInt64($0.count), error)
                    ?? POSED_INTERNAL
            }
        }
    }

    /// All bytes of the buffer of `tensor`, after the stream has finished.
    func bytes(_ tensor: DeviceTensor) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: tensor.bytes)
        try BackendError.check("download") { error in
            bytes.withUnsafeMutableBytes {
                plugin.table.pointee.download?(
                    stream, $0.baseAddress, tensor.buffer, 0, UInt64($0.count), error)
                    ?? POSED_INTERNAL
            }
        }
        try synchronize()
        return bytes
    }

    /// The elements of `tensor` in row-major order of the view, after the stream has finished.
    ///
    /// - Throws: ``Failure`` when bytes beside the view have changed.
    func read(_ tensor: DeviceTensor) throws -> [Float] {
        var bytes = try bytes(tensor)
        return try bytes.withUnsafeMutableBytes { bytes in
            guard let memory = bytes.baseAddress else { return [] }
            let places = tensor.layout.places
            let values = places.map { tensor.type.load(memory, at: $0) }
            for place in places {
                let first = place * tensor.type.size
                for byte in first..<first + tensor.type.size { bytes[byte] = DeviceTensor.filler }
            }
            if let changed = bytes.firstIndex(where: { $0 != DeviceTensor.filler }) {
                throw Failure(
                    "byte \(changed) of the result's buffer is not in the view, yet changed")
            }
            return values
        }
    }
}
