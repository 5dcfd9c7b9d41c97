package import CPosedBackend

/// The checks that a plugin's table must pass before any of its functions is called.
package struct PluginCheck {
    /// The file that the table came from.
    package let file: PluginFile
    /// The version that the host speaks.
    package let host: BackendABI

    /// Checks for `file`, on behalf of a host of the version `host`.
    package init(file: PluginFile, host: BackendABI = .host) {
        self.file = file
        self.host = host
    }

    /// - Throws: `.incompatible`, with what was expected and what came.
    package func check(_ table: UnsafePointer<posed_backend>) throws(BackendError) {
        // The first two fields are the same in every version; nothing else is read before they fit.
        let abi = BackendABI(rawValue: table.pointee.abi)
        guard abi.fits(host) else {
            throw refusal("was built for ABI \(abi), and this host speaks \(host)")
        }
        let size = MemoryLayout<posed_backend>.size
        guard table.pointee.struct_size == UInt32(size) else {
            throw refusal(
                "its table has \(table.pointee.struct_size) bytes, and ABI \(host) has \(size)")
        }
        guard let name = table.pointee.name.map({ String(cString: $0) }) else {
            throw refusal("has no name")
        }
        guard name == file.name else {
            throw refusal("calls itself \"\(name)\", and its file says \"\(file.name)\"")
        }
        if let slot = Self.firstEmptySlot(table) {
            throw refusal("its table has no function \(slot)")
        }
    }

    private func refusal(_ reason: String) -> BackendError {
        BackendError(.incompatible, "\(file.fileName): \(reason)")
    }

    private static func firstEmptySlot(_ table: UnsafePointer<posed_backend>) -> String? {
        let words = UnsafeRawPointer(table)
        guard let first = MemoryLayout<posed_backend>.offset(of: \.probe) else { return nil }
        for (index, slot) in slots.enumerated() where !optional.contains(slot) {
            let offset = first + index * MemoryLayout<UInt>.size
            if words.load(fromByteOffset: offset, as: UInt.self) == 0 { return slot }
        }
        return nil
    }

    /// The functions of the table, in its order.
    package static let slots = [
        "probe", "device_open", "device_close", "device_info", "supports",
        "buffer_create", "buffer_destroy", "buffer_map", "upload", "download",
        "stream_create", "stream_destroy", "stream_synchronize",
        "event_create", "event_destroy", "event_record", "event_wait", "event_synchronize",
        "capture_begin", "capture_end", "graph_launch", "graph_destroy",
        "weight_create_linear", "weight_create_conv2d", "weight_destroy", "weight_bytes",
        "linear", "conv2d", "group_norm", "layer_norm", "attention", "copy", "combine", "activate",
        "glu", "quantize",
    ]

    private static let optional: Set<String> = ["buffer_map"]
}
