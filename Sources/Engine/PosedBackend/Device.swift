package import CPosedBackend

/// How a device is to be opened.
package struct DeviceOptions: Sendable, Equatable {
    /// Which of the plugin's devices, from 0.
    package var index: Int
    /// CPU threads to compute with; 0 takes as many as the process may use.
    package var threads: Int
    /// Device memory that may be allocated, in bytes; 0 sets no limit.
    package var memoryLimit: UInt64
    /// A folder in which the backend may keep compiled kernels.
    package var cacheFolder: String?

    package init(
        index: Int = 0, threads: Int = 0, memoryLimit: UInt64 = 0, cacheFolder: String? = nil
    ) {
        self.index = index
        self.threads = threads
        self.memoryLimit = memoryLimit
        self.cacheFolder = cacheFolder
    }
}

/// An open compute device of a backend plugin. Buffers, streams and packed weights come from it and
/// keep it, and the plugin's library, alive.
///
/// `@unchecked Sendable`: the C handle may be used from any thread, as the ABI promises.
package final class Device: @unchecked Sendable {
    /// The library that the device belongs to.
    package let plugin: BackendPlugin
    /// How it was opened.
    package let options: DeviceOptions
    /// The C handle of the device.
    package let handle: OpaquePointer

    /// How it is asked for, such as `cuda:1`.
    package var selection: BackendSelection {
        BackendSelection(plugin: plugin.name, index: options.index)
    }

    /// The plugin's table of functions.
    package var table: posed_backend { plugin.table.pointee }

    /// Opens a device.
    ///
    /// - Throws: `BackendError` when the plugin cannot open it here.
    package init(plugin: BackendPlugin, options: DeviceOptions = DeviceOptions()) throws {
        self.plugin = plugin
        self.options = options
        let table = plugin.table.pointee
        var handle: OpaquePointer?
        var native = posed_device_options()
        native.index = Int32(clamping: options.index)
        native.threads = Int32(clamping: options.threads)
        native.memory_limit = options.memoryLimit
        try BackendError.check("\(plugin.name): opening device \(options.index)") { error in
            if let folder = options.cacheFolder {
                return folder.withCString { path in
                    native.cache_folder = path
                    return table.device_open(&native, &handle, error)
                }
            }
            return table.device_open(&native, &handle, error)
        }
        guard let handle else {
            throw BackendError(.internal, "\(plugin.name): device_open gave no device")
        }
        self.handle = handle
    }

    deinit { table.device_close(handle) }

    /// The device's description, memory in use included.
    ///
    /// - Throws: `BackendError` when the device does not answer.
    package func info() throws -> DeviceInfo {
        var native = posed_device_info()
        try BackendError.check("\(plugin.name): device_info") {
            table.device_info(handle, &native, $0)
        }
        return DeviceInfo(native)
    }

    /// Why the device will not carry out an operation, or nil when it will.
    package func refusal(of query: posed_op_query) -> String? {
        var query = query
        let abi = BackendABI(rawValue: table.abi)
        if query.op == POSED_OP_ATTENTION.rawValue, query.sizes.2 != 0, abi.minor < 1 {
            return
                "\(plugin.name): attention with a bias needs a plugin built for ABI 1.1 or later, "
                + "and this one was built for \(abi)"
        }
        var error = posed_error()
        if table.supports(handle, &query, &error) != 0 { return nil }
        return "\(plugin.name): \(error.text)"
    }
}

/// The type of a tensor's elements, on a device or in a file.
package enum DType: UInt32, Sendable, CaseIterable {
    case f32 = 1
    case f16 = 2
    case bf16 = 3
    case u8 = 4
    /// Of products alone, whose operands are rounded to 8 bits row by row; no tensor has it.
    case i8 = 5

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        case .u8, .i8: 1
        }
    }

    /// "f32", as command line and reports write it.
    package var name: String {
        switch self {
        case .f32: "f32"
        case .f16: "f16"
        case .bf16: "bf16"
        case .u8: "u8"
        case .i8: "i8"
        }
    }

    /// The type of that name, or nil.
    package init?(name: String) {
        guard let type = DType.allCases.first(where: { $0.name == name }) else { return nil }
        self = type
    }
}

/// A device's description of itself.
package struct DeviceInfo: Sendable, Equatable {
    /// For people: "AMD EPYC, 2 threads".
    package let name: String
    /// The class of its results: equal strings on equal inputs promise equal bits.
    package let numerics: String
    /// Threads that compute.
    package let threads: Int
    /// Types in which it multiplies; `i8` is of `linear` alone.
    package let dtypes: Set<DType>
    /// The fastest of them that these models tolerate.
    package let preferred: DType
    /// Device memory in bytes; 0 when it is not known.
    package let memoryTotal: UInt64
    /// Device memory in use, in bytes.
    package let memoryUsed: UInt64
    /// Whether buffers can be addressed by the host.
    package let isHostVisible: Bool

    init(_ native: posed_device_info) {
        var native = native
        name = withUnsafeBytes(of: &native.name) { String(zeroTerminated: $0) }
        numerics = withUnsafeBytes(of: &native.numerics) { String(zeroTerminated: $0) }
        threads = Int(native.threads)
        let bits = native.dtypes
        dtypes = Set(DType.allCases.filter { bits & (1 << $0.rawValue) != 0 })
        preferred = DType(rawValue: native.preferred) ?? .f32
        memoryTotal = native.memory_total
        memoryUsed = native.memory_used
        isHostVisible = native.host_visible != 0
    }
}

extension String {
    /// The text in a C array of characters, up to its first zero.
    init(zeroTerminated bytes: UnsafeRawBufferPointer) {
        self = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// Memory on a device; given back when the last reference goes.
///
/// `@unchecked Sendable`: the C handle is safe from any thread; the order of reads and writes is that
/// of the streams that carry them out.
package final class Buffer: @unchecked Sendable {
    package let device: Device
    package let handle: OpaquePointer
    /// Its size in bytes.
    package let byteCount: Int

    /// Allocates memory whose contents are undefined.
    ///
    /// - Throws: `BackendError` `.outOfMemory` when the device has no room or the limit is reached.
    package init(device: Device, byteCount: Int) throws {
        var handle: OpaquePointer?
        try BackendError.check("\(device.plugin.name): allocating \(byteCount) bytes") {
            device.table.buffer_create(device.handle, UInt64(max(byteCount, 1)), &handle, $0)
        }
        guard let handle else {
            throw BackendError(.internal, "\(device.plugin.name): buffer_create gave no buffer")
        }
        self.device = device
        self.handle = handle
        self.byteCount = byteCount
    }

    deinit { device.table.buffer_destroy(device.handle, handle) }

    /// The host's address of the first byte, where the device shares memory with the host.
    package var hostAddress: UnsafeMutableRawPointer? {
        device.table.buffer_map?(device.handle, handle)
    }
}

/// A matrix or a filter in the layout that the device likes best, packed once when a model is loaded.
///
/// `@unchecked Sendable`: immutable after it is made.
package final class PackedWeight: @unchecked Sendable {
    package let device: Device
    package let handle: OpaquePointer
    /// The type in which the device multiplies with it.
    package let compute: DType

    /// Packs a matrix [out, in] with its bias [out].
    ///
    /// - Throws: `BackendError` when the device cannot hold or serve it.
    package init(device: Device, linear desc: posed_linear_weight_desc) throws {
        var desc = desc
        var handle: OpaquePointer?
        try BackendError.check("\(device.plugin.name): packing a matrix [\(desc.out), \(desc.in)]")
        {
            device.table.weight_create_linear(device.handle, &desc, &handle, $0)
        }
        self.handle = try PackedWeight.unwrap(handle, device)
        self.device = device
        self.compute = DType(rawValue: desc.compute) ?? .f32
    }

    /// Packs a filter [out, in, kh, kw] with its bias [out].
    ///
    /// - Throws: `BackendError` when the device cannot hold or serve it.
    package init(device: Device, conv2d desc: posed_conv2d_weight_desc) throws {
        var desc = desc
        var handle: OpaquePointer?
        let shape = "[\(desc.out), \(desc.in), \(desc.kernel_h), \(desc.kernel_w)]"
        try BackendError.check("\(device.plugin.name): packing a filter \(shape)") {
            device.table.weight_create_conv2d(device.handle, &desc, &handle, $0)
        }
        self.handle = try PackedWeight.unwrap(handle, device)
        self.device = device
        self.compute = DType(rawValue: desc.compute) ?? .f32
    }

    deinit { device.table.weight_destroy(device.handle, handle) }

    /// Bytes of device memory that it takes.
    package var byteCount: Int { Int(clamping: device.table.weight_bytes(handle)) }

    private static func unwrap(_ handle: OpaquePointer?, _ device: Device) throws -> OpaquePointer {
        if let handle { return handle }
        throw BackendError(.internal, "\(device.plugin.name): weight_create gave no weight")
    }
}

/// Numbers of bytes as people write them.
package enum ByteCount {
    private static let units: [(name: String, size: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000),
        ("B", 1),
    ]

    /// A number of bytes; nil for a text that is none, or one that is not whole.
    package static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let first = digits.first, first != ".", digits.last != "." else { return nil }
        let size = unit.isEmpty ? 1 : units.first { $0.name == unit }?.size
        guard let size else { return nil }
        if let whole = Int(digits) {
            let (bytes, overflow) = whole.multipliedReportingOverflow(by: size)
            return overflow ? nil : bytes
        }
        guard let number = Double(digits) else { return nil }
        return Int(exactly: number * Double(size))
    }

    /// The number with the largest binary unit that leaves it whole.
    package static func text(_ bytes: Int) -> String {
        for unit in units.prefix(4) where bytes >= unit.size && bytes % unit.size == 0 {
            return "\(bytes / unit.size)\(unit.name)"
        }
        return String(bytes)
    }
}
