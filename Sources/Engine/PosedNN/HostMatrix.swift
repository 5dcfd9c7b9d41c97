import PosedBackend
package import PosedWeights

/// Weights on the host on their way to a device: the file's own bytes where it is one tensor, a copy
/// where several are joined.
package struct HostMatrix {
    private enum Source {
        case tensor(WeightTensor)
        case copy([UInt8])
        case floats([Float])
    }

    private let source: Source
    /// The type of the elements.
    let dtype: DType

    /// Tensors one after another; one of several types becomes float32.
    package init(joining tensors: [WeightTensor]) {
        let types = Set(tensors.map(\.dtype))
        if let type = types.first, types.count == 1, let dtype = DType(type) {
            self.dtype = dtype
            source =
                tensors.count == 1
                ? .tensor(tensors[0]) : .copy(tensors.flatMap { Array($0.bytes) })
        } else {
            dtype = .f32
            source = .floats(tensors.flatMap { $0.floats() })
        }
    }

    /// Values made by the host.
    package init(_ values: [Float]) {
        dtype = .f32
        source = .floats(values)
    }

    /// Lends the elements' address.
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        switch source {
        case .tensor(let tensor):
            return try withExtendedLifetime(tensor) { try body(tensor.bytes) }
        case .copy(let bytes): return try bytes.withUnsafeBytes(body)
        case .floats(let values): return try values.withUnsafeBytes(body)
        }
    }
}

extension DType {
    /// The device's type for a file's; nil for a type that is no weight.
    init?(_ type: ElementType) {
        switch type {
        case .f32: self = .f32
        case .f16: self = .f16
        case .bf16: self = .bf16
        default: return nil
        }
    }
}
