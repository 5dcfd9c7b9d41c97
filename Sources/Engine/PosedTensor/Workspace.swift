package import PosedBackend
import PosedGuarded

/// Scratch memory of one stream: buffers that come back and are lent again, so that repeated work
/// allocates nothing. Reuse is safe since a stream's work takes effect in order.
package final class Workspace: StorageLender {
    private struct State {
        var idle: [Buffer] = []
        var lent = 0
        var bytes = 0
    }

    private let device: Device
    private let state = Guarded(State())

    /// An empty workspace.
    package init(device: Device) { self.device = device }

    /// Device memory that it holds, lent or idle, in bytes.
    package var byteCount: Int { state.withLock { $0.bytes } }

    /// Buffers that are out at the moment.
    package var lentCount: Int { state.withLock { $0.lent } }

    /// A tensor of undefined contents: the smallest idle buffer that fits without much waste, or a new one.
    ///
    /// - Throws: `BackendError` when a new buffer is needed and the device has no room.
    package func tensor(_ shape: [Int], _ dtype: DType) throws -> Tensor {
        let bytes = max(shape.reduce(1, *) * dtype.size, 64)
        let buffer = try idleBuffer(for: bytes) ?? newBuffer(bytes)
        return Tensor(
            storage: Storage(buffer: buffer, lender: self), dtype: dtype, shape: shape)
    }

    /// Frees the idle buffers, except those that a captured graph works in.
    package func trim() {
        state.withLock { state in
            var kept: [Buffer] = []
            while var buffer = state.idle.popLast() {
                if isKnownUniquelyReferenced(&buffer) {
                    state.bytes -= buffer.byteCount
                } else {
                    kept.append(buffer)
                }
            }
            state.idle = kept.reversed()
        }
    }

    func takeBack(_ buffer: Buffer) {
        state.withLock { state in
            state.lent -= 1
            state.idle.append(buffer)
        }
    }

    private func idleBuffer(for bytes: Int) -> Buffer? {
        state.withLock { state in
            var best: Int?
            for (index, buffer) in state.idle.enumerated()
            where buffer.byteCount >= bytes && buffer.byteCount <= 2 * bytes {
                if best.map({ state.idle[$0].byteCount > buffer.byteCount }) ?? true {
                    best = index
                }
            }
            guard let best else { return nil }
            state.lent += 1
            return state.idle.remove(at: best)
        }
    }

    private func newBuffer(_ bytes: Int) throws -> Buffer {
        let buffer = try Buffer(device: device, byteCount: bytes)
        state.withLock { state in
            state.lent += 1
            state.bytes += bytes
        }
        return buffer
    }
}
