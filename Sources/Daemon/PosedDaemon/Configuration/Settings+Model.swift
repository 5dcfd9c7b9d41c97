/// What becomes of the daemon when one of several devices is lost.
package enum DeviceLossPolicy: String, Sendable, CaseIterable {
    /// The other devices do all the work.
    case `continue`
    /// What was accepted is finished, and the daemon ends as failed.
    case drain
}

extension Settings {
    /// The model, where it runs, and the solvers.
    package enum Model {
        package static let folder = Setting(
            "model.folder", .optional(.path("a model's folder")), initial: nil, .restart,
            "The folder of the model: the one with model_index.json. The daemon does not start without."
        )
        package static let backend = Setting(
            "model.backend", .placement, initial: "auto", .restart,
            "What computes: for all parts, or for vae, source_encoder, pose_encoder (or encoders, both) and "
                + "transformer apart; each copy has a lane of its own.")
        package static let deviceLoss = Setting<DeviceLossPolicy>(
            "model.deviceLoss", .choice, initial: .continue, .restart,
            "When one of several copies loses its device: continue with the others, or drain and end, to be "
                + "started anew. The daemon always ends with its last.")
        package static let dtype = Setting(
            "model.dtype", .types, initial: "auto", .restart,
            "The type to compute in, for all parts or for vae, encoders (or one of them) and transformer apart; auto leaves "
                + "it to the device and model, and i8 rounds what every token passes to 8 bits.")
        package static let threads = Setting(
            "model.threads", .integer(0...1024), initial: 0, .restart,
            "Threads of each copy on CPU backends; 0 divides all processors that the daemon may use."
        )
        package static let memoryLimit = Setting(
            "model.memoryLimit", .optional(.bytes((1 << 20)...(1 << 46))), initial: nil, .restart,
            "Memory that each copy of the models may take of each of its devices, weights included; none sets no "
                + "limit. A request that has no room in it is RESOURCE_EXHAUSTED.")
        package static let backendPath = Setting(
            "model.backendPath", .optional(.path("a folder")), initial: nil, .restart,
            "A folder to look for backends in before all others.")
        package static let sourceEncoderIdle = Setting(
            "model.sourceEncoderIdle", .duration(.zero...(.seconds(86_400))), initial: .seconds(60),
            .restart,
            "How long after the last new source a large encoder of sources alone is given back; it is read again "
                + "for the next. 0 keeps it.")
        package static let solverFiles = Setting(
            "solvers.files", .list(of: .path("a file"), "a list of absolute paths"), initial: [],
            .restart, "JSON files with Butcher tableaus, each a solver of its own.")
        package static let solverLibraries = Setting(
            "solvers.libraries", .list(of: .path("a file"), "a list of absolute paths"),
            initial: [], .restart, "Shared libraries with solvers.")

        static let all: [any AnySetting] = [
            folder, backend, deviceLoss, dtype, threads, memoryLimit, backendPath,
            sourceEncoderIdle, solverFiles, solverLibraries,
        ]
    }
}
