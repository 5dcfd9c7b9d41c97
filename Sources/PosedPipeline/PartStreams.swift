package import PosedBackend
package import PosedTensor

/// The streams of a model's parts. Parts of one type on one device share a stream.
package struct PartStreams: Sendable {
    package let vae: Compute
    package let encoders: Compute
    package let transformer: Compute

    /// One stream for each device and type. The autoencoder has nothing to compute in `i8`: where its device
    /// lacks it, it takes the device's preference.
    ///
    /// - Parameter types: The types to compute in.
    /// - Throws: `BackendError` when a device does not compute in its part's type.
    package init(_ devices: PlacedDevices, types: PartTypes = PartTypes()) throws {
        struct Place: Hashable {
            let device: ObjectIdentifier
            let type: DType?
        }
        var made: [Place: Compute] = [:]
        func stream(_ device: Device, _ part: Placement.Part) throws -> Compute {
            var type = types[part]
            if part == .vae, type == .i8, try !device.info().dtypes.contains(.i8) { type = nil }
            let place = Place(device: ObjectIdentifier(device), type: type)
            if let known = made[place] { return known }
            do {
                let compute = try Compute(device: device, precision: type)
                made[place] = compute
                return compute
            } catch let error as BackendError where error.code == .unsupported {
                throw BackendError(.unsupported, "\(part.rawValue): \(error.message)")
            }
        }
        vae = try stream(devices.vae, .vae)
        encoders = try stream(devices.encoders, .encoders)
        transformer = try stream(devices.transformer, .transformer)
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
