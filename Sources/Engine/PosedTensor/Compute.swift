import CPosedBackend
package import PosedBackend

/// One stream of work on a device, with the memory it needs: what models compute with.
///
/// Operations are in `Compute+….swift`. Each gives its result in scratch memory, or writes it where the
/// caller says. A tensor that must survive a captured graph is made by `persistent`.
///
/// One thread uses it at a time. `@unchecked Sendable`: it may move between threads; its owner sees to
/// it that one uses it at a time.
package final class Compute: @unchecked Sendable {
    package let device: Device
    package let stream: PosedBackend.Stream
    /// The type of activations between layers, and of the operands of products other than `products`.
    package let precision: DType
    /// The type of the operands of the large linear layers that every token passes, where the work is:
    /// `precision`, or `i8` beside bfloat16.
    package let products: DType
    /// Scratch memory of work that is carried out at once.
    private let immediate: Workspace
    /// Scratch memory of captured graphs; no graph finds there what it left.
    private let captured: Workspace
    /// The memory of the graph that is being captured; nil while nothing is captured.
    private var recorded: GraphMemory?

    /// Opens a stream.
    ///
    /// - Parameters:
    ///   - precision: The type to compute in; nil takes the device's preference. `i8` makes it that of
    ///     `products`.
    /// - Throws: `BackendError` `.unsupported` when the device does not compute in that type.
    package init(device: Device, precision: DType? = nil) throws {
        let info = try device.info()
        let precision = precision ?? info.preferred
        guard info.dtypes.contains(precision) else {
            let offered = info.dtypes.map(\.name).sorted().joined(separator: ", ")
            throw BackendError(
                .unsupported,
                "\(device.plugin.name) computes in \(offered) here, not in \(precision.name)")
        }
        self.device = device
        products = precision
        self.precision = precision == .i8 ? .bf16 : precision
        stream = try PosedBackend.Stream(device: device)
        immediate = Workspace(device: device)
        captured = Workspace(device: device)
    }

    /// Bytes of scratch memory held.
    package var workspaceBytes: Int { immediate.byteCount + captured.byteCount }

    /// Buffers of scratch memory that tensors hold at the moment.
    package var scratchBuffersInUse: Int { immediate.lentCount + captured.lentCount }

    /// A scratch tensor of undefined contents.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func scratch(_ shape: [Int], _ dtype: DType) throws -> Tensor {
        try (recorded == nil ? immediate : captured).tensor(shape, dtype)
    }

    /// A tensor of undefined contents in memory of its own.
    ///
    /// - Throws: `BackendError` when the device has no room.
    package func persistent(_ shape: [Int], _ dtype: DType) throws -> Tensor {
        let bytes = max(shape.reduce(1, *) * dtype.size, 64)
        let buffer = try Buffer(device: device, byteCount: bytes)
        return Tensor(storage: Storage(buffer: buffer), dtype: dtype, shape: shape)
    }

    /// Records what `body` does, without doing it. Results must be written to persistent tensors. The
    /// graph keeps all memory that its operations name.
    ///
    /// - Throws: what `body` throws, or the first operation's refusal.
    package func capture(_ body: () throws -> Void) throws -> CapturedGraph {
        precondition(recorded == nil, "captures do not nest")
        recorded = GraphMemory()
        defer { recorded = nil }
        let graph = try stream.capture(body)
        return CapturedGraph(graph: graph, memory: recorded ?? GraphMemory())
    }

    /// Frees the scratch memory that neither a tensor nor a captured graph uses.
    package func trim() {
        immediate.trim()
        captured.trim()
    }

    /// Carries out a captured graph.
    ///
    /// - Throws: `BackendError` when the launch fails.
    package func launch(_ captured: CapturedGraph) throws { try stream.launch(captured.graph) }

    /// Waits until all work is done.
    ///
    /// - Throws: `BackendError` when earlier work failed.
    package func synchronize() throws { try stream.synchronize() }
}

extension Compute {
    /// A tensor as the C interface has it, for an operation of this stream.
    func native(_ tensor: Tensor) -> posed_tensor {
        keep(tensor.storage)
        return tensor.native
    }

    /// A weight as the C interface has it, for an operation of this stream.
    func handle(_ weight: PackedWeight) -> OpaquePointer {
        recorded?.weights[ObjectIdentifier(weight)] = weight
        return weight.handle
    }

    /// While a graph is captured: makes it keep this memory. The graph's own scratch memory goes back to
    /// its workspace, whose other graphs work in it, too.
    func keep(_ storage: Storage) {
        guard recorded != nil else { return }
        recorded?.buffers[ObjectIdentifier(storage.buffer)] = storage.buffer
        if !storage.isLent(by: captured) {
            recorded?.storages[ObjectIdentifier(storage)] = storage
        }
    }
}

/// The memory that a graph's operations name.
struct GraphMemory: Sendable {
    var buffers: [ObjectIdentifier: Buffer] = [:]
    var storages: [ObjectIdentifier: Storage] = [:]
    var weights: [ObjectIdentifier: PackedWeight] = [:]
}

/// A captured graph together with all the memory that it works on.
package final class CapturedGraph: Sendable {
    let graph: Graph
    private let memory: GraphMemory

    init(graph: Graph, memory: GraphMemory) {
        self.graph = graph
        self.memory = memory
    }
}
