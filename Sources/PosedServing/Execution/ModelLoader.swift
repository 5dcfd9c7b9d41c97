import PosedBackend
import PosedPipeline
import PosedSessions
import PosedTensor

/// Opens devices and loads models. Runs on the lane's thread.
enum ModelLoader {
    /// What was loaded.
    struct Loaded: Sendable {
        var models: [PoseModel] = []
        var served: [ServedModel] = []
        var backends: [BackendDescription] = []
    }

    /// Streams that models share: those of one placement and one precision.
    private struct Place: Hashable {
        let placement: Placement
        let precision: DType?
    }

    /// Loads all models of a configuration.
    ///
    /// - Throws: what is wrong with the first that cannot be loaded.
    static func load(
        _ configuration: ServingConfiguration, onProgress: (String) -> Void
    ) throws -> Loaded {
        guard !configuration.models.isEmpty else {
            throw ServingError(.invalidRequest, "at least one model expected, but none is named")
        }
        let names = configuration.models.map(\.name)
        guard Set(names).count == names.count else {
            throw ServingError(.invalidRequest, "two models go by one name: \(names)")
        }
        let registry =
            try configuration.backends
            ?? BackendRegistry.discover(.standard(explicit: configuration.backendFolder))
        var loaded = Loaded()
        var places: [Place: PartStreams] = [:]
        for model in configuration.models {
            onProgress("loading \(model.name)")
            switch model.origin {
            case .loaded(let made, let fingerprint):
                loaded.models.append(made)
                loaded.served.append(try ServedModel(model.name, made, fingerprint: fingerprint))
            case .folder(let path, let placement, let precision):
                let place = Place(placement: placement, precision: precision)
                let streams: PartStreams
                if let known = places[place] {
                    streams = known
                } else {
                    streams = try PartStreams(
                        registry.open(
                            placement, options: DeviceOptions(threads: configuration.threads)),
                        precision: precision)
                    places[place] = streams
                }
                let fingerprint = try ModelFingerprint.make(folder: path).description
                let made = try PoseModel.load(folder: path, on: streams)
                loaded.models.append(made)
                loaded.served.append(try ServedModel(model.name, made, fingerprint: fingerprint))
            }
        }
        loaded.served[0].description.isDefault = true
        let inUse = Set(loaded.served.flatMap { $0.description.parts.map(\.device) })
        loaded.backends = registry.entries.map {
            BackendDescription(
                name: $0.name, report: $0.report, isInUse: inUse.contains($0.name))
        }
        return loaded
    }
}
