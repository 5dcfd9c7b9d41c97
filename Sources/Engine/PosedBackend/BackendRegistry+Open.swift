/// The devices of a model's parts. Parts in one place share a device.
package struct PlacedDevices: Sendable {
    /// For the autoencoder.
    package let vae: Device
    /// For the source's image encoder.
    package let sourceEncoder: Device
    /// For the pose's image encoder.
    package let poseEncoder: Device
    /// For the velocity transformer.
    package let transformer: Device
}

extension BackendRegistry {
    /// Opens the device that `selection` means; `options.index` is taken from there.
    ///
    /// - Throws: ``BackendError`` as ``entry(for:)``, and what the plugin reports.
    package func open(
        _ selection: BackendSelection, options: DeviceOptions = DeviceOptions()
    ) throws -> Device {
        var options = options
        options.index = selection.index
        return try Device(plugin: plugin(for: selection), options: options)
    }

    /// Opens what `placement` needs, each device once.
    ///
    /// - Throws: as ``open(_:options:)``.
    package func open(
        _ placement: Placement, options: DeviceOptions = DeviceOptions()
    ) throws -> PlacedDevices {
        var opened: [BackendSelection: Device] = [:]
        func device(_ part: Placement.Part) throws -> Device {
            // "auto" and the name that it comes to are one place.
            let wanted = placement[part]
            let place = BackendSelection(plugin: try entry(for: wanted).name, index: wanted.index)
            if let device = opened[place] { return device }
            let device = try open(place, options: options)
            opened[place] = device
            return device
        }
        return PlacedDevices(
            vae: try device(.vae), sourceEncoder: try device(.sourceEncoder),
            poseEncoder: try device(.poseEncoder), transformer: try device(.transformer))
    }
}
