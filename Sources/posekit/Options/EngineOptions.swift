import ArgumentParser
import PosedBackend
import PosedPipeline
import PosedTensor

/// What to compute with.
struct EngineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A backend for all parts (onednn), or one for each (vae=blas,transformer=onednn); "
                + "without it the best that this machine can use.", valueName: "name"))
    var backend: String?

    @Option(help: "The type to compute in; without it each device's preference.")
    var dtype: Precision?

    @Option(help: "CPU threads; 0 takes all that this process may use.")
    var threads = 0

    @Option(
        help: ArgumentHelp(
            "A folder to look for backends in before all others.", valueName: "folder"))
    var backendPath: String?

    func validate() throws {
        guard (0...1024).contains(threads) else {
            throw ValidationError("--threads takes a number from 0 to 1024, not \(threads)")
        }
    }

    /// Where the parts work.
    func placement() throws -> Placement {
        try backend.map { try Placement(parsing: $0) } ?? Placement()
    }

    /// The backends of this machine.
    func registry() throws -> BackendRegistry {
        try BackendRegistry.discover(.standard(explicit: backendPath))
    }

    /// A stream for every part.
    func streams() throws -> PartStreams {
        try streams(try placement())
    }

    /// A stream for every part, where `placement` says.
    func streams(_ placement: Placement) throws -> PartStreams {
        let devices = try registry().open(placement, options: DeviceOptions(threads: threads))
        return try PartStreams(devices, precision: dtype?.type)
    }

    /// A stream for one part alone.
    func stream(for part: Placement.Part) throws -> Compute {
        let device = try registry().open(
            try placement()[part], options: DeviceOptions(threads: threads))
        return try Compute(device: device, precision: dtype?.type)
    }
}
