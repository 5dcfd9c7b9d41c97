package import PosedBackend
package import PosedPipeline
package import PosedSessions

/// What the engine room is to serve, and how.
package struct ServingConfiguration: Sendable {
    /// A model to serve.
    package struct Model: Sendable {
        /// Where a model comes from.
        package enum Origin: Sendable {
            /// A model folder, its parts placed on backends, and the types they compute in.
            case folder(String, Placement, PartTypes)
            /// A model that is loaded already; nobody else may use its streams.
            case loaded(PoseModel, fingerprint: String)
        }

        /// As in `models/{name}`.
        package var name: String
        /// Its copies, one for each lane. All models have as many.
        package var copies: [Origin]

        /// The model of a folder, with a copy and a lane for each placement.
        package init(
            name: String, folder: String, placements: [Placement] = [Placement()],
            types: PartTypes = PartTypes()
        ) {
            self.name = name
            copies = placements.map { .folder(folder, $0, types) }
        }

        /// A model that is loaded already, once for each lane.
        package init(name: String, _ models: PoseModel..., fingerprint: String) {
            self.name = name
            copies = models.map { .loaded($0, fingerprint: fingerprint) }
        }
    }

    /// How many rows batches of velocity evaluations have.
    package enum BatchRows: Sendable, Equatable {
        /// As few as get through nearly as many rows a second as the best, measured when a model is warmed
        /// up; never more than this.
        case automatic(atMost: Int)
        /// At most that many.
        case fixed(Int)

        /// The most, either way.
        package var most: Int {
            switch self {
            case .automatic(let most), .fixed(let most): max(2, most)
            }
        }
    }

    /// Models; the first is the default one.
    package var models: [Model]
    /// CPU threads of each device; 0 divides all that the process may use among the lanes.
    package var threads = 0
    /// Memory that may be taken of each device, in bytes; 0 sets no limit.
    package var memoryLimit = 0
    /// A folder to look for backends in before all others.
    package var backendFolder: String?
    /// Backends that were found already; nil looks for them.
    package var backends: BackendRegistry?
    /// Files with tableaus, and libraries, of further solvers.
    package var solverFiles: [String] = []
    package var solverLibraries: [String] = []
    package var limits = ServingLimits()
    package var batchRows = BatchRows.automatic(atMost: 16)
    /// Solves in progress at most.
    package var maxSolves = 32
    /// Sizes of pictures that are kept ready besides the models' own.
    package var extraSizes = 3
    /// How far an owner may be ahead of the least served before its deadlines no longer pass the others.
    package var deadlineAllowance = Duration.seconds(1)
    /// Frames of a stream that are under way, or made and not read.
    package var streamWindow = 8
    /// How long after the last new source a large encoder of sources alone is given back; nil: never.
    package var sourceEncoderIdle: Duration?
    /// An encoder of fewer bytes of weights is never given back.
    package var largeEncoder = 512 << 20
    /// Where sessions outlive the process; nil: nowhere.
    package var stateFolder: String?
    /// The store of sessions that several daemons share, in place of a folder; nil: none.
    package var sharedSessions: SharedArchive<SessionDefaults>?
    /// Where encoded sources of sessions are kept for several daemons; nil: nowhere.
    package var sourceRecords: (any SourceRecords)?
    /// Where encoded sources of sessions outlive the process; nil: nowhere.
    package var restartStore: (any RestartStore)?
    /// Told what an operator should know of what outlives the process; from any thread.
    package var onArchive: @Sendable (ArchiveReport) -> Void = { _ in }
    /// Whether each model makes a picture before the engine is ready.
    package var warmsUp = true

    /// These models, otherwise the defaults.
    package init(models: [Model]) { self.models = models }
}
