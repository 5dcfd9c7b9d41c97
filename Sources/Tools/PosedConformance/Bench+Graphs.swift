import CPosedBackend
import PosedBackend

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
