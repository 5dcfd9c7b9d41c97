/// The backend plugins of this machine: those that were found, and what a probe says of each.
package struct BackendRegistry: Sendable {
    /// A plugin that was found.
    package struct Entry: Sendable {
        /// Its path.
        package let file: PluginFile
        /// Whether it can be used, and how well.
        package let report: ProbeReport

        /// A plugin at `file` of which a probe says `report`.
        package init(file: PluginFile, report: ProbeReport) {
            self.file = file
            self.report = report
        }

        /// The plugin's name.
        package var name: String { file.name }
    }

    /// A plugin that scores less is used when it is named, and never chosen automatically.
    package static let leastAutomaticScore = 2

    /// Every plugin found, the best first, then by name.
    package let entries: [Entry]

    /// A registry of plugins that were probed already.
    package init(entries: [Entry]) {
        self.entries = entries.sorted { ($1.report.score, $0.name) < ($0.report.score, $1.name) }
    }

    /// Looks for plugins and probes them, each in a child process.
    ///
    /// - Throws: `.notFound` when there is no executable to probe with.
    package static func discover(
        _ search: PluginSearchPath = .standard(), prober: PluginProber? = nil
    ) throws(BackendError) -> BackendRegistry {
        let files = search.plugins()
        guard !files.isEmpty else { return BackendRegistry(entries: []) }
        var prober = prober
        if prober == nil { prober = try PluginProber() }
        let reports = prober?.probe(files) ?? []
        return BackendRegistry(
            entries: zip(files, reports).map { Entry(file: $0, report: $1) })
    }

    /// The plugin that `selection` means.
    ///
    /// - Throws: `.notFound` or `.unsupported`, with a list of what was found.
    package func entry(for selection: BackendSelection) throws(BackendError) -> Entry {
        guard let name = selection.plugin else {
            guard let best = entries.first, best.report.score >= Self.leastAutomaticScore else {
                throw BackendError(.notFound, "no backend can be used here; \(reasons)")
            }
            return best
        }
        guard let entry = entries.first(where: { $0.name == name }) else {
            throw BackendError(.notFound, "there is no backend \"\(name)\"; \(inventory)")
        }
        guard entry.report.status == .usable else {
            throw BackendError(
                .unsupported,
                "backend \"\(name)\" cannot be used: \(entry.report.summary); \(inventory)")
        }
        guard selection.index < entry.report.devices else {
            throw BackendError(
                .notFound,
                "backend \"\(name)\" has no device \(selection.index):"
                    + " it has \(entry.report.devices), counted from 0")
        }
        return entry
    }

    /// Loads the plugin that `selection` means.
    ///
    /// - Throws: as ``entry(for:)`` and ``BackendPlugin/init(loading:)``.
    package func plugin(for selection: BackendSelection) throws(BackendError) -> BackendPlugin {
        try BackendPlugin(loading: entry(for: selection).file)
    }

    /// Why each plugin is not chosen automatically: "old: this processor lacks AVX2; bad: it crashed".
    private var reasons: String {
        guard !entries.isEmpty else { return "no plugin was found" }
        return entries.map { entry in
            let isUsable = entry.report.status == .usable
            return "\(entry.name): "
                + (isUsable ? "it is used only when it is named" : entry.report.summary)
        }.joined(separator: "; ")
    }

    /// "found: cpu (score 50), crashing (not usable)".
    private var inventory: String {
        guard !entries.isEmpty else { return "no plugin was found" }
        let items = entries.map {
            $0.report.status == .usable
                ? "\($0.name) (score \($0.report.score))" : "\($0.name) (not usable)"
        }
        return "found: " + items.joined(separator: ", ")
    }
}

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

    /// The device of `part`.
    package subscript(part: Placement.Part) -> Device {
        switch part {
        case .vae: vae
        case .sourceEncoder: sourceEncoder
        case .poseEncoder: poseEncoder
        case .transformer: transformer
        }
    }
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
