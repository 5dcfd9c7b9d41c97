package import CPosedBackend

/// A matrix or a filter in the layout that the device likes best, packed once when a model is loaded.
///
/// `@unchecked Sendable`: immutable after it is made.
package final class PackedWeight: @unchecked Sendable {
    package let device: Device
    package let handle: OpaquePointer
    /// The type in which the device multiplies with it.
    package let compute: DType

    /// Packs a matrix [out, in] with its bias [out].
    ///
    /// - Throws: `BackendError` when the device cannot hold or serve it.
    package init(device: Device, linear desc: posed_linear_weight_desc) throws {
        var desc = desc
        var handle: OpaquePointer?
        try BackendError.check("\(device.plugin.name): packing a matrix [\(desc.out), \(desc.in)]")
        {
            device.table.weight_create_linear(device.handle, &desc, &handle, $0)
        }
        self.handle = try PackedWeight.unwrap(handle, device)
        self.device = device
        self.compute = DType(rawValue: desc.compute) ?? .f32
    }

    /// Packs a filter [out, in, kh, kw] with its bias [out].
    ///
    /// - Throws: `BackendError` when the device cannot hold or serve it.
    package init(device: Device, conv2d desc: posed_conv2d_weight_desc) throws {
        var desc = desc
        var handle: OpaquePointer?
        let shape = "[\(desc.out), \(desc.in), \(desc.kernel_h), \(desc.kernel_w)]"
        try BackendError.check("\(device.plugin.name): packing a filter \(shape)") {
            device.table.weight_create_conv2d(device.handle, &desc, &handle, $0)
        }
        self.handle = try PackedWeight.unwrap(handle, device)
        self.device = device
        self.compute = DType(rawValue: desc.compute) ?? .f32
    }

    deinit { device.table.weight_destroy(device.handle, handle) }

    /// Bytes of device memory that it takes.
    package var byteCount: Int { Int(clamping: device.table.weight_bytes(handle)) }

    private static func unwrap(_ handle: OpaquePointer?, _ device: Device) throws -> OpaquePointer {
        if let handle { return handle }
        throw BackendError(.internal, "\(device.plugin.name): weight_create gave no weight")
    }
}
