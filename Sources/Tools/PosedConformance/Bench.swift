import CPosedBackend
import PosedBackend

/// A device under test and what was made on it. Everything is given back by ``clear()``.
///
/// A bench belongs to one thread; a second thread makes its own with ``another()``.
final class Bench {
    /// The plugin under test.
    let plugin: BackendPlugin
    /// Which of the plugin's devices it is.
    let index: Int
    /// The open device.
    let device: OpaquePointer
    /// The stream that operations go to.
    let stream: OpaquePointer
    /// What the device says of itself.
    let info: posed_device_info

    private let ownsDevice: Bool
    private var buffers: [OpaquePointer] = []
    private var weights: [OpaquePointer] = []

    /// Opens device `index` of the plugin; `memoryLimit` in bytes, 0 for none.
    init(
        _ plugin: BackendPlugin, index: Int = 0, memoryLimit: UInt64 = 0, threads: Int = 0
    ) throws {
        var options = posed_device_options()
        options.index = Int32(clamping: index)
        options.memory_limit = memoryLimit
        options.threads = Int32(threads)
        var device: OpaquePointer?
        try BackendError.check("device_open") {
            plugin.table.pointee.device_open?(&options, &device, $0) ?? POSED_INTERNAL
        }
        self.device = try expect(device, "device_open gave no device")
        self.plugin = plugin
        self.index = index
        var info = posed_device_info()
        try BackendError.check("device_info") {
            plugin.table.pointee.device_info?(device, &info, $0) ?? POSED_INTERNAL
        }
        self.info = info
        stream = try Self.makeStream(plugin, self.device)
        ownsDevice = true
    }

    private init(sharing other: Bench) throws {
        plugin = other.plugin
        index = other.index
        device = other.device
        info = other.info
        stream = try Self.makeStream(plugin, device)
        ownsDevice = false
    }

    deinit {
        clear()
        plugin.table.pointee.stream_destroy?(stream)
        if ownsDevice { plugin.table.pointee.device_close?(device) }
    }

    /// A bench with a stream of its own on the same device, which must outlive it.
    func another() throws -> Bench { try Bench(sharing: self) }

    /// Whether the device multiplies operands of `type`.
    func computes(_ type: ElementType) -> Bool { info.dtypes & (1 << type.rawValue) != 0 }

    /// Gives back all buffers and weights, after all work of the stream unless told otherwise.
    func clear(waiting: Bool = true) {
        if waiting { _ = plugin.table.pointee.stream_synchronize?(stream, nil) }
        for buffer in buffers { plugin.table.pointee.buffer_destroy?(device, buffer) }
        for weight in weights { plugin.table.pointee.weight_destroy?(device, weight) }
        buffers = []
        weights = []
    }

    private static func makeStream(
        _ plugin: BackendPlugin, _ device: OpaquePointer
    ) throws -> OpaquePointer {
        var stream: OpaquePointer?
        try BackendError.check("stream_create") {
            plugin.table.pointee.stream_create?(device, &stream, $0) ?? POSED_INTERNAL
        }
        return try expect(stream, "stream_create gave no stream")
    }

    /// A buffer of `bytes` bytes, undefined contents.
    func buffer(_ bytes: Int) throws -> OpaquePointer {
        var buffer: OpaquePointer?
        try BackendError.check("buffer_create") {
            plugin.table.pointee.buffer_create?(device, UInt64(bytes), &buffer, $0)
                ?? POSED_INTERNAL
        }
        let made = try expect(buffer, "buffer_create gave no buffer")
        buffers.append(made)
        return made
    }

    /// Takes a weight into the bench's care.
    func keep(_ weight: OpaquePointer, _ compute: ElementType) -> DeviceWeight {
        weights.append(weight)
        return DeviceWeight(handle: weight, compute: compute)
    }

    /// Runs `operation` and throws what the plugin reports.
    func run(_ operation: Operation) throws {
        try BackendError.check("the operation") { operation.submit(plugin.table, stream, $0) }
    }

    /// Waits for all work of the stream.
    func synchronize() throws {
        try BackendError.check("stream_synchronize") {
            plugin.table.pointee.stream_synchronize?(stream, $0) ?? POSED_INTERNAL
        }
    }
}
