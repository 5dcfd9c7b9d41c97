package import PosedBackend
package import PosedTensor

/// The streams of a model's parts. Parts of one type on one device share a stream.
package struct PartStreams: Sendable {
    package let vae: Compute
    package let sourceEncoder: Compute
    package let poseEncoder: Compute
    package let transformer: Compute

    /// One stream for each device and type.
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
            let type = try Self.type(of: part, on: device, among: types)
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
        sourceEncoder = try stream(devices.sourceEncoder, .sourceEncoder)
        poseEncoder = try stream(devices.poseEncoder, .poseEncoder)
        transformer = try stream(devices.transformer, .transformer)
    }

    /// The type that a part's stream on `device` is opened with; nil for the device's preference. The autoencoder
    /// has nothing to compute in `i8`: its device need not have it, and where bfloat16 is not what the device is best
    /// at, it takes the preference.
    ///
    /// - Throws: `BackendError` when the device cannot be asked.
    package static func type(
        of part: Placement.Part, on device: Device, among types: PartTypes
    ) throws -> DType? {
        let type = types[part]
        guard part == .vae, type == .i8 else { return type }
        let info = try device.info()
        return info.dtypes.contains(.i8) && info.preferred == .bf16 ? type : nil
    }

    /// The stream of a part.
    package subscript(part: Placement.Part) -> Compute {
        switch part {
        case .vae: vae
        case .sourceEncoder: sourceEncoder
        case .poseEncoder: poseEncoder
        case .transformer: transformer
        }
    }

    /// The type that a part computes in: of its products, or, for the autoencoder, which has none in 8 bits, of all.
    package func type(of part: Placement.Part) -> DType {
        part == .vae ? vae.precision : self[part].products
    }

    /// All parts on one stream.
    package init(all compute: Compute) {
        vae = compute
        sourceEncoder = compute
        poseEncoder = compute
        transformer = compute
    }

    /// Frees the scratch memory that nothing uses.
    package func trim() {
        for part in Placement.Part.allCases { self[part].trim() }
    }

    /// A dense float32 tensor on the stream `to`, copied over the host if it lives on another device.
    ///
    /// - Throws: `BackendError` when a device fails.
    static func move(_ tensor: Tensor, from: Compute, to: Compute) throws -> Tensor {
        if from === to { return tensor }
        return try to.tensor(try from.floats(tensor), tensor.shape)
    }
}
