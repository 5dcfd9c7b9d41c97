internal import CPosedGRPC
internal import PosedBase

/// Owner of a channel of the library.
///
/// Sendable because the library's channels may be used from any thread.
final class CoreChannel: @unchecked Sendable {
    let queue: CompletionQueue
    private let handle: OpaquePointer
    private let entry: ObjectCounts.Entry

    /// A channel to `target` in the library's words, "unix:/run/x.sock" or "dns:///host:port".
    ///
    /// - Throws: `RPCError` with `resourceExhausted` when it cannot be made.
    init(
        target: String, options: TransportOptions, security: ChannelSecurity,
        userAgent: String?, queue: CompletionQueue
    ) throws(RPCError) {
        let credentials = try ChannelCredentials(security, objectCounts: queue.objectCounts)
        var native = options.native
        // The server decides how many calls it serves at a time.
        native.max_concurrent_streams = posed_grpc_options_default().max_concurrent_streams
        let made = withOptional(userAgent) { agent in
            withOptional(security.expectedName) { name in
                native.user_agent = agent
                native.target_name = name
                return posed_grpc_channel_create(target, credentials.handle, &native)
            }
        }
        guard let made else {
            throw RPCError(.resourceExhausted, "no channel to \(target) could be made")
        }
        handle = made
        self.queue = queue
        entry = ObjectCounts.Entry(.channels, in: queue.objectCounts)
    }

    deinit {
        posed_grpc_channel_destroy(handle)
    }

    /// A new call of `path`, nothing of it sent yet.
    ///
    /// - Throws: `RPCError` with `resourceExhausted` when it cannot be made.
    func call(_ path: String, timeLeft: Duration?) throws(RPCError) -> CoreCall {
        var path = path
        let call = path.withUTF8 { bytes in
            posed_grpc_channel_create_call(
                handle, queue.handle,
                posed_grpc_bytes(bytes: bytes.baseAddress, count: bytes.count),
                timeLeft?.units(perSecond: 1_000_000_000) ?? .max)
        }
        guard let call else {
            throw RPCError(.resourceExhausted, "no call of \(path) could be made")
        }
        return CoreCall(call, queue: queue)
    }

    /// What the channel can do now; with `connect` an idle one begins to connect.
    func connectivity(connect: Bool) -> Connectivity {
        Connectivity(posed_grpc_channel_connectivity(handle, connect))
    }

    /// Waits until the state is another than `last`; false when the time was up.
    func changed(from last: Connectivity, within time: Duration?) async -> Bool {
        let done = OneShot<Bool>()
        let watch = ConnectivityWatch(self) { done.fulfil($0) }
        let tag = queue.tags.issue(.connectivity(watch))
        posed_grpc_channel_watch(
            handle, last.native, time?.units(perSecond: 1_000_000_000) ?? .max, queue.handle, tag)
        return await done.value()
    }
}

/// One wait for a channel to change its state; keeps the channel meanwhile.
final class ConnectivityWatch: Sendable {
    private let channel: CoreChannel
    private let completed: @Sendable (Bool) -> Void

    init(_ channel: CoreChannel, completed: @escaping @Sendable (Bool) -> Void) {
        self.channel = channel
        self.completed = completed
    }

    func complete(changed: Bool) {
        completed(changed)
    }
}

/// `text` as a C string, or NULL, for as long as `body` runs.
func withOptional<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
