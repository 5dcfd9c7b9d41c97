import Foundation
import PosedBackend
import PosedPipeline
import PosedSessions
import PosedTensor

/// Opens devices and loads models. Runs on the lanes' threads.
enum ModelLoader {
    /// What was loaded.
    struct Loaded: Sendable {
        var models: [PoseModel] = []
        var served: [ServedModel] = []
    }

    /// Streams that models share: those of the same devices and types.
    private struct Place: Hashable {
        let placement: Placement
        let types: PartTypes
        let allowsEightBits: Bool
    }

    /// How many copies each model has.
    ///
    /// - Throws: `invalidModel` where there is no model, where two have one name, or not equally many copies.
    static func lanes(of configuration: ServingConfiguration) throws(PipelineError) -> Int {
        guard let first = configuration.models.first, !first.copies.isEmpty else {
            throw PipelineError(.invalidModel, "at least one model expected, but none is named")
        }
        let names = configuration.models.map(\.name)
        guard Set(names).count == names.count else {
            throw PipelineError(.invalidModel, "two models go by one name: \(names)")
        }
        let counts = configuration.models.map(\.copies.count)
        guard Set(counts).count == 1 else {
            throw PipelineError(
                .invalidModel,
                "as many copies of every model expected, but there are \(counts) of \(names)")
        }
        return first.copies.count
    }

    /// Loads the copies of all models that belong to a lane.
    ///
    /// - Throws: what is wrong with the first that cannot be loaded.
    static func load(
        _ configuration: ServingConfiguration, lane: Int, from registry: BackendRegistry,
        onProgress: (String) -> Void
    ) throws -> Loaded {
        let lanes = try lanes(of: configuration)
        var threads = configuration.threads
        if threads == 0, lanes > 1 {
            threads = max(1, ProcessInfo.processInfo.activeProcessorCount / lanes)
        }
        var loaded = Loaded()
        var places: [Place: PartStreams] = [:]
        for model in configuration.models {
            onProgress(
                "loading \(model.name)" + (lanes > 1 ? ", copy \(lane + 1) of \(lanes)" : ""))
            switch model.copies[lane] {
            case .loaded(let made, let fingerprint):
                loaded.models.append(made)
                loaded.served.append(try ServedModel(model.name, made, fingerprint: fingerprint))
            case .folder(let path, let placement, let types):
                let folder = try ModelFolder(path: path)
                let place = Place(
                    placement: placement, types: types, allowsEightBits: folder.allowsEightBits)
                let streams: PartStreams
                if let known = places[place] {
                    streams = known
                } else {
                    let devices = try registry.open(
                        placement,
                        options: DeviceOptions(
                            threads: threads, memoryLimit: UInt64(configuration.memoryLimit)))
                    streams = try PartStreams(devices, types: folder.types(types, on: devices))
                    places[place] = streams
                }
                let fingerprint = try ModelFingerprint.make(folder: path).description
                let made = try PoseModel.load(folder: path, on: streams)
                loaded.models.append(made)
                loaded.served.append(try ServedModel(model.name, made, fingerprint: fingerprint))
            }
        }
        return loaded
    }

    /// What callers are told of the models of all lanes.
    ///
    /// - Throws: `invalidModel` where copies would not make the same pictures.
    static func joined(_ lanes: [Loaded]) throws(PipelineError) -> [ServedModel] {
        var served = lanes[0].served
        served[0].description.isDefault = true
        for lane in lanes.dropFirst() {
            for (index, copy) in lane.served.enumerated() {
                guard copy.identity == served[index].identity else {
                    throw PipelineError(
                        .invalidModel,
                        "\(copy.description.name): copies on devices of the same kind and type expected, "
                            + "but one is \(copy.numerics) and one \(served[index].numerics)")
                }
                served[index].description.parts += copy.description.parts
            }
        }
        return served
    }

    /// What callers are told of backends.
    static func backends(_ registry: BackendRegistry, used: [ServedModel]) -> [BackendDescription] {
        let inUse = Set(used.flatMap { $0.description.parts.map(\.backend) })
        return registry.entries.map {
            BackendDescription(
                name: $0.name, report: $0.report, isInUse: inUse.contains($0.name))
        }
    }
}
