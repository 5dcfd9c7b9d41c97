package import PosedBackend
package import PosedTensor

/// The streams of a model's parts. Parts on one device share a stream.
package struct PartStreams: Sendable {
    package let vae: Compute
    package let encoders: Compute
    package let transformer: Compute

    /// One stream for each device.
    ///
    /// - Parameter precision: The type to compute in; nil takes each device's preference.
    /// - Throws: `BackendError` when a device does not compute in that type.
    package init(_ devices: PlacedDevices, precision: DType? = nil) throws {
        var made: [ObjectIdentifier: Compute] = [:]
        func stream(_ device: Device) throws -> Compute {
            if let known = made[ObjectIdentifier(device)] { return known }
            let compute = try Compute(device: device, precision: precision)
            made[ObjectIdentifier(device)] = compute
            return compute
        }
        vae = try stream(devices.vae)
        encoders = try stream(devices.encoders)
        transformer = try stream(devices.transformer)
    }

    /// All parts on one stream.
    package init(all compute: Compute) {
        vae = compute
        encoders = compute
        transformer = compute
    }

    /// A dense float32 tensor on the stream `to`, copied over the host if it lives on another device.
    ///
    /// - Throws: `BackendError` when a device fails.
    static func move(_ tensor: Tensor, from: Compute, to: Compute) throws -> Tensor {
        if from === to { return tensor }
        return try to.tensor(try from.floats(tensor), tensor.shape)
    }
}
