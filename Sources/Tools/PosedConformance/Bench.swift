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
    func computes(_ type: DType) -> Bool { info.dtypes & (1 << type.rawValue) != 0 }

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
    func keep(_ weight: OpaquePointer, _ compute: DType) -> DeviceWeight {
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

extension Bench {
    /// A tensor with `values` in row-major order of the view; a broadcast axis takes the last of those
    /// that fall on one place.
    func tensor(
        _ values: [Float], _ layout: Layout, _ type: DType = .f32
    ) throws -> DeviceTensor {
        let tensor = try output(layout, type)
        try write(values, to: tensor)
        return tensor
    }

    /// A dense tensor with `values`.
    func tensor(
        _ values: [Float], _ shape: [Int], _ type: DType = .f32
    ) throws -> DeviceTensor {
        try tensor(values, .dense(shape), type)
    }

    /// A tensor full of filler, for results.
    func output(_ layout: Layout, _ type: DType = .f32) throws -> DeviceTensor {
        let bytes = layout.span * type.size + DeviceTensor.guardBytes
        let tensor = DeviceTensor(buffer: try buffer(bytes), layout: layout, type: type)
        try upload([UInt8](repeating: DeviceTensor.filler, count: bytes), to: tensor.buffer)
        return tensor
    }

    /// Replaces the contents of `tensor`.
    func write(_ values: [Float], to tensor: DeviceTensor) throws {
        var bytes = [UInt8](repeating: DeviceTensor.filler, count: tensor.bytes)
        bytes.withUnsafeMutableBytes { bytes in
            guard let memory = bytes.baseAddress else { return }
            for (place, value) in zip(tensor.layout.places, values) {
                tensor.type.store(value, in: memory, at: place)
            }
        }
        try upload(bytes, to: tensor.buffer)
    }

    /// Copies `bytes` to the start of `buffer`.
    func upload(_ bytes: [UInt8], to buffer: OpaquePointer, at offset: Int = 0) throws {
        try BackendError.check("upload") { error in
            bytes.withUnsafeBytes {
                plugin.table.pointee.upload?(
                    stream, buffer, UInt64(offset), $0.baseAddress, UInt64($0.count), error)
                    ?? POSED_INTERNAL
            }
        }
    }

    /// All bytes of the buffer of `tensor`, after the stream has finished.
    func bytes(_ tensor: DeviceTensor) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: tensor.bytes)
        try BackendError.check("download") { error in
            bytes.withUnsafeMutableBytes {
                plugin.table.pointee.download?(
                    stream, $0.baseAddress, tensor.buffer, 0, UInt64($0.count), error)
                    ?? POSED_INTERNAL
            }
        }
        try synchronize()
        return bytes
    }

    /// The elements of `tensor` in row-major order of the view, after the stream has finished.
    ///
    /// - Throws: ``Failure`` when bytes beside the view have changed.
    func read(_ tensor: DeviceTensor) throws -> [Float] {
        var bytes = try bytes(tensor)
        return try bytes.withUnsafeMutableBytes { bytes in
            guard let memory = bytes.baseAddress else { return [] }
            let places = tensor.layout.places
            let values = places.map { tensor.type.load(memory, at: $0) }
            for place in places {
                let first = place * tensor.type.size
                for byte in first..<first + tensor.type.size { bytes[byte] = DeviceTensor.filler }
            }
            if let changed = bytes.firstIndex(where: { $0 != DeviceTensor.filler }) {
                throw Failure(
                    "byte \(changed) of the result's buffer is not in the view, yet changed")
            }
            return values
        }
    }
}

extension Bench {
    /// Packs a matrix `[out, in]` given as `type` for products of `compute` operands. The data lies
    /// at an odd address.
    func linearWeight(
        _ values: [Float], out: Int, in inputs: Int, bias: [Float]?, type: DType,
        compute: DType
    ) throws -> DeviceWeight {
        let (data, bias) = (Self.packed(values, type), bias ?? [])
        var weight: OpaquePointer?
        try BackendError.check("weight_create_linear") { error in
            data.withUnsafeBytes { data in
                bias.withUnsafeBufferPointer { bias in
                    var desc = posed_linear_weight_desc()
                    desc.data = UnsafeRawPointer(data.baseAddress?.advanced(by: 1))
                    desc.dtype = type.rawValue
                    desc.bias = bias.isEmpty ? nil : bias.baseAddress
                    desc.out = Int64(out)
                    desc.in = Int64(inputs)
                    desc.compute = compute.rawValue
                    return plugin.table.pointee.weight_create_linear?(
                        device, &desc, &weight, error) ?? POSED_INTERNAL
                }
            }
        }
        return keep(try expect(weight, "weight_create_linear gave no weight"), compute)
    }

    /// Packs the filter of `conv`, given as `type`, for products of `compute` operands.
    func filter(
        _ conv: Reference.Conv2D, type: DType, compute: DType
    ) throws -> DeviceWeight {
        let (data, bias) = (Self.packed(conv.weight, type), conv.bias ?? [])
        var weight: OpaquePointer?
        try BackendError.check("weight_create_conv2d") { error in
            data.withUnsafeBytes { data in
                bias.withUnsafeBufferPointer { bias in
                    var desc = Self.descriptor(conv)
                    desc.data = UnsafeRawPointer(data.baseAddress?.advanced(by: 1))
                    desc.dtype = type.rawValue
                    desc.bias = bias.isEmpty ? nil : bias.baseAddress
                    desc.compute = compute.rawValue
                    return plugin.table.pointee.weight_create_conv2d?(
                        device, &desc, &weight, error) ?? POSED_INTERNAL
                }
            }
        }
        return keep(try expect(weight, "weight_create_conv2d gave no weight"), compute)
    }

    private static func descriptor(_ conv: Reference.Conv2D) -> posed_conv2d_weight_desc {
        var desc = posed_conv2d_weight_desc()
        desc.out = Int32(conv.outputs)
        desc.in = Int32(conv.inputs)
        desc.kernel_h = Int32(conv.kernel.height)
        desc.kernel_w = Int32(conv.kernel.width)
        desc.stride_h = Int32(conv.stride.height)
        desc.stride_w = Int32(conv.stride.width)
        desc.pad_top = Int32(conv.padding.top)
        desc.pad_left = Int32(conv.padding.left)
        desc.pad_bottom = Int32(conv.padding.bottom)
        desc.pad_right = Int32(conv.padding.right)
        desc.upsample = Int32(conv.upsample)
        return desc
    }

    /// The bytes of `values` as `type`, behind one byte that makes their address odd.
    private static func packed(_ values: [Float], _ type: DType) -> [UInt8] {
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, values.count * type.size), alignment: 16)
        defer { scratch.deallocate() }
        guard let memory = scratch.baseAddress else { return [] }
        for (index, value) in values.enumerated() { type.store(value, in: memory, at: index) }
        return [0] + scratch.prefix(values.count * type.size)
    }
}

extension Bench {
    /// Starts recording.
    func beginCapture() throws {
        try BackendError.check("capture_begin") {
            plugin.table.pointee.capture_begin?(stream, $0) ?? POSED_INTERNAL
        }
    }

    /// Ends recording; the caller destroys the graph.
    func endCapture() throws -> OpaquePointer {
        var graph: OpaquePointer?
        try BackendError.check("capture_end") {
            plugin.table.pointee.capture_end?(stream, &graph, $0) ?? POSED_INTERNAL
        }
        return try expect(graph, "capture_end gave no graph")
    }

    /// Carries out what was recorded.
    func launch(_ graph: OpaquePointer) throws {
        try BackendError.check("graph_launch") {
            plugin.table.pointee.graph_launch?(stream, graph, $0) ?? POSED_INTERNAL
        }
    }

    /// Gives a graph back, after all work is done.
    func destroy(graph: OpaquePointer) {
        _ = plugin.table.pointee.stream_synchronize?(stream, nil)
        plugin.table.pointee.graph_destroy?(graph)
    }

    /// What the device says of itself now.
    func currentInfo() throws -> posed_device_info {
        var info = posed_device_info()
        try BackendError.check("device_info") {
            plugin.table.pointee.device_info?(device, &info, $0) ?? POSED_INTERNAL
        }
        return info
    }
}

/// Fails unless `call` is refused with a sentence and one of `codes`.
func expectRefusal(
    _ what: String, _ codes: Set<BackendError.Code> = [.invalidArgument, .unsupported],
    _ call: (UnsafeMutablePointer<posed_error>?) -> posed_status
) throws {
    var error = posed_error()
    withUnsafeMutableBytes(of: &error.message) { bytes in
        for index in bytes.indices { bytes[index] = 0x55 }
    }
    set(&error.message, 0, UInt8(0))
    let status = call(&error)
    try expect(status != POSED_OK, "\(what) was not refused")
    let code = BackendError.Code(status)
    try expect(codes.contains(code), "\(what) gave \(code), expected \(names(codes))")
    let length = withUnsafeBytes(of: error.message) { $0.firstIndex(of: 0) }
    try expect(length != nil && length != 0, "\(what) was refused without a message")
    let silent = BackendError.Code(call(nil))
    try expect(silent == code, "\(what) gave \(code), and without an error to fill \(silent)")
}

private func names(_ codes: Set<BackendError.Code>) -> String {
    codes.map(\.rawValue).sorted().joined(separator: " or ")
}
