import CPosedBackend
import PosedBackend

/// A tensor in a buffer of its own on the device under test, surrounded by bytes that nobody may read
/// or change.
struct DeviceTensor {
    /// The byte that fills what is not data: NaN in every float type.
    static let filler: UInt8 = 0xff
    /// Bytes of filler behind the view's last element.
    static let guardBytes = 64

    let buffer: OpaquePointer
    let layout: Layout
    let type: ElementType

    /// The size of the buffer.
    var bytes: Int { layout.span * type.size + Self.guardBytes }

    /// The view as operations take it.
    var view: posed_tensor { view(layout) }

    /// Another view of the same buffer.
    func view(_ layout: Layout) -> posed_tensor {
        var tensor = posed_tensor()
        tensor.buffer = buffer
        tensor.offset_bytes = UInt64(layout.offset * type.size)
        tensor.dtype = type.rawValue
        tensor.rank = UInt32(layout.shape.count)
        for (axis, extent) in layout.shape.enumerated() {
            set(&tensor.shape, axis, Int64(extent))
            set(&tensor.stride, axis, Int64(layout.strides[axis]))
        }
        return tensor
    }
}

/// A weight on the device under test.
struct DeviceWeight {
    let handle: OpaquePointer
    /// The type of the product's operands.
    let compute: ElementType
}
