import CPosedBackend

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
