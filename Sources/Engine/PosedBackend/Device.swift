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

    /// What the device says of itself, memory in use included.
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
