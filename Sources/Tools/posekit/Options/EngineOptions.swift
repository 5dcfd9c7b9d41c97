import ArgumentParser
import PosedBackend
import PosedPipeline
import PosedTensor

/// A number of bytes, written `2GiB`, `500MB` or `1048576`.
struct MemorySize: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
        guard let bytes = ByteCount.parse(argument), bytes > 0 else { return nil }
        self.bytes = bytes
    }
}

/// Backend, devices, types and threads.
struct EngineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A backend for all parts (cpu), or one for each (vae=cpu,transformer=cuda); "
                + "without it the best that this machine can use.", valueName: "name"))
    var backend: String?

    @Option(
        help: ArgumentHelp(
            "The type to compute in, f32, bf16, f16 or i8, or one for each part (i8,encoders=bf16); without it "
                + "i8 where model and device allow it, else each device's preference.",
            valueName: "type"))
    var dtype: String?

    @Option(help: "CPU threads; 0 takes all that this process may use.")
    var threads = 0

    @Option(
        help: ArgumentHelp(
            "Memory that may be taken of each device, such as 2GiB; without it there is no limit.",
            valueName: "bytes"))
    var memoryLimit: MemorySize?

    @Option(
        help: ArgumentHelp(
            "A folder to look for backends in before all others.", valueName: "folder"))
    var backendPath: String?

    func validate() throws {
        guard (0...1024).contains(threads) else {
            throw ValidationError("--threads takes a number from 0 to 1024, not \(threads)")
        }
        do {
            _ = try types()
        } catch {
            throw ValidationError("--dtype: \(error.message)")
        }
    }

    /// The devices of the parts.
    func placement() throws -> Placement {
        try backend.map { try Placement(parsing: $0) } ?? Placement()
    }

    /// The types that the parts compute in.
    func types() throws(BackendError) -> PartTypes {
        guard let dtype else { return PartTypes() }
        return try PartTypes(parsing: dtype)
    }

    /// The backends of this machine.
    func registry() throws -> BackendRegistry {
        try BackendRegistry.discover(.standard(explicit: backendPath))
    }

    /// How devices are opened.
    private var deviceOptions: DeviceOptions {
        DeviceOptions(threads: threads, memoryLimit: UInt64(memoryLimit?.bytes ?? 0))
    }

    /// A stream for every part of the model in `folder`.
    func streams(for folder: ModelFolder) throws -> PartStreams {
        try streams(for: folder, placement())
    }

    /// A stream for every part of the model in `folder`, or of one that is in none, where `placement` says.
    func streams(for folder: ModelFolder?, _ placement: Placement) throws -> PartStreams {
        let devices = try registry().open(placement, options: deviceOptions)
        let asked = try types()
        return try PartStreams(devices, types: folder?.types(asked, on: devices) ?? asked)
    }

    /// A stream for one part alone.
    func stream(for part: Placement.Part) throws -> Compute {
        let device = try registry().open(try placement()[part], options: deviceOptions)
        return try Compute(
            device: device, precision: PartStreams.type(of: part, on: device, among: types()))
    }
}
