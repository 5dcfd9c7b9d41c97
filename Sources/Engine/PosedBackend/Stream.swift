import CPosedBackend

/// An ordered queue of work on a device, used by one thread at a time.
///
/// `@unchecked Sendable`: it may move between threads; its owner sees to it that one uses it at a time.
package final class Stream: @unchecked Sendable {
    package let device: Device
    package let handle: OpaquePointer

    /// Makes a stream.
    ///
    /// - Throws: `BackendError` when the device refuses.
    package init(device: Device) throws {
        var handle: OpaquePointer?
        try BackendError.check("\(device.plugin.name): stream_create") {
            device.table.stream_create(device.handle, &handle, $0)
        }
        guard let handle else {
            throw BackendError(.internal, "\(device.plugin.name): stream_create gave no stream")
        }
        self.device = device
        self.handle = handle
    }

    deinit { device.table.stream_destroy(handle) }

    /// Waits until all work given to the stream is done.
    ///
    /// - Throws: `BackendError` when earlier work failed or the device is lost.
    package func synchronize() throws {
        try BackendError.check("\(device.plugin.name): synchronize") {
            device.table.stream_synchronize(handle, $0)
        }
    }

    /// Copies host bytes into a buffer; the host's memory may be reused on return.
    ///
    /// - Throws: `BackendError` when the range does not lie in the buffer.
    package func upload(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws {
        guard bytes.count > 0 else { return }
        try BackendError.check("\(device.plugin.name): upload") {
            device.table.upload(
                handle, buffer.handle, UInt64(offset), bytes.baseAddress, UInt64(bytes.count), $0)
        }
    }

    /// Copies a buffer's bytes to the host; complete after `synchronize`.
    ///
    /// - Throws: `BackendError` when the range does not lie in the buffer.
    package func download(
        _ buffer: Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer
    ) throws {
        guard bytes.count > 0 else { return }
        try BackendError.check("\(device.plugin.name): download") {
            device.table.download(
                handle, bytes.baseAddress, buffer.handle, UInt64(offset), UInt64(bytes.count), $0)
        }
    }

    /// Records the operations that `body` gives to this stream, without carrying them out.
    ///
    /// - Throws: what `body` throws, or the `BackendError` of the first operation refused.
    package func capture(_ body: () throws -> Void) throws -> Graph {
        try BackendError.check("\(device.plugin.name): capture_begin") {
            device.table.capture_begin(handle, $0)
        }
        let outcome = Result { try body() }
        var graph: OpaquePointer?
        let ended = Result {
            try BackendError.check("\(device.plugin.name): capture_end") {
                device.table.capture_end(handle, &graph, $0)
            }
        }
        let recorded = graph.map { Graph(device: device, handle: $0) }
        try outcome.get()
        try ended.get()
        guard let recorded else {
            throw BackendError(.internal, "\(device.plugin.name): capture_end gave no graph")
        }
        return recorded
    }

    /// Carries out a recorded graph.
    ///
    /// - Throws: `BackendError` when the launch fails.
    package func launch(_ graph: Graph) throws {
        try BackendError.check("\(device.plugin.name): graph_launch") {
            device.table.graph_launch(handle, graph.handle, $0)
        }
    }
}

/// Recorded work, launched as a whole. The buffers that it works on must outlive it.
///
/// `@unchecked Sendable`: the handle is immutable; launches are ordered by their stream.
package final class Graph: @unchecked Sendable {
    package let device: Device
    package let handle: OpaquePointer

    init(device: Device, handle: OpaquePointer) {
        self.device = device
        self.handle = handle
    }

    deinit { device.table.graph_destroy(handle) }
}
