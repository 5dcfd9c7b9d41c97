internal import CPosedGRPC

/// Operations on a call that complete together: built, started once, read when complete.
///
/// Sendable because it has one user at a time: the task that builds it, then the library, then the
/// thread that delivers its completion and whoever that hands it to.
final class Batch: @unchecked Sendable {
    private let handle: OpaquePointer
    private let entry: ObjectCounts.Entry
    private let objectCounts: ObjectCounts
    /// Keeps the call and its queue, which own what the batch received.
    private var call: CoreCall?
    private var completed: (@Sendable (Batch, Bool) -> Void)?

    /// - Throws: `RPCError` with `resourceExhausted` when memory is short.
    init(objectCounts: ObjectCounts) throws(RPCError) {
        guard let handle = posed_grpc_batch_create() else {
            throw RPCError(.resourceExhausted, "no memory for the operations of a call")
        }
        self.handle = handle
        self.objectCounts = objectCounts
        entry = ObjectCounts.Entry(.batches, in: objectCounts)
    }

    deinit {
        posed_grpc_batch_destroy(handle)
    }

    // MARK: What to do

    func sendInitialMetadata(_ metadata: Metadata, waitForReady: Bool = false) {
        metadata.withEntries { entries in
            _ = posed_grpc_batch_send_initial_metadata(
                handle, entries.baseAddress, entries.count, waitForReady)
        }
    }

    /// Sends `message`, whose memory the library reads without copying it.
    ///
    /// - Parameter through: complete only when the socket has it.
    func send(_ message: MessageBytes, through: Bool = false) {
        posed_grpc_batch_send_message(
            handle, SentMessage.adopt(message, objectCounts: objectCounts), through)
    }

    func sendClose() {
        posed_grpc_batch_send_close(handle)
    }

    func sendStatus(_ code: StatusCode, _ message: String, _ metadata: Metadata) {
        var message = message
        message.withUTF8 { text in
            let details = posed_grpc_bytes(bytes: text.baseAddress, count: text.count)
            metadata.withEntries { entries in
                _ = posed_grpc_batch_send_status(
                    handle, code.rawValue, details, entries.baseAddress, entries.count)
            }
        }
    }

    func receiveInitialMetadata() {
        posed_grpc_batch_receive_initial_metadata(handle)
    }

    func receiveMessage() {
        posed_grpc_batch_receive_message(handle)
    }

    func receiveStatus() {
        posed_grpc_batch_receive_status(handle)
    }

    func receiveClose() {
        posed_grpc_batch_receive_close(handle)
    }

    /// Gives the batch to the library. `completed` runs once, on the queue's thread, and must not block.
    func start(
        on call: CoreCall, completed: @escaping @Sendable (Batch, _ success: Bool) -> Void
    ) -> Bool {
        self.call = call
        self.completed = completed
        let tag = call.tags.issue(.batch(self))
        let started = posed_grpc_call_start(call.handle, handle, tag)
        if !started {
            self.completed = nil
            self.call = nil
            call.tags.revoke(tag)
        }
        return started
    }

    func complete(success: Bool) {
        let completed = completed
        self.completed = nil
        completed?(self, success)
    }

    // MARK: What came

    /// The message that came, copied out of the library; nil when none came.
    func takeMessage() -> MessageBytes? {
        guard let handle = posed_grpc_batch_take_message(handle) else { return nil }
        return ReceivedMessage(handle, objectCounts: objectCounts).copy()
    }

    var initialMetadata: Metadata {
        Metadata(count: posed_grpc_batch_initial_metadata_count(handle)) {
            posed_grpc_batch_initial_metadata(handle, $0)
        }
    }

    var trailingMetadata: Metadata {
        Metadata(count: posed_grpc_batch_trailing_metadata_count(handle)) {
            posed_grpc_batch_trailing_metadata(handle, $0)
        }
    }

    /// The status that the client received.
    var status: (code: StatusCode, message: String) {
        let details = String(posed_grpc_batch_status_details(handle))
        return (StatusCode(rawValue: posed_grpc_batch_status(handle)), details)
    }

    /// Whether the call ended otherwise than by the server's status.
    var cancelled: Bool {
        posed_grpc_batch_cancelled(handle)
    }
}

/// A message that came, in the library's memory.
private struct ReceivedMessage: ~Copyable {
    private let handle: OpaquePointer
    private let entry: ObjectCounts.Entry

    init(_ handle: OpaquePointer, objectCounts: ObjectCounts) {
        self.handle = handle
        entry = ObjectCounts.Entry(.messages, in: objectCounts)
    }

    deinit {
        posed_grpc_message_destroy(handle)
    }

    /// The bytes in one piece, as they were sent; nil when the library cannot read them.
    func copy() -> MessageBytes? {
        var readable = true
        let bytes = MessageBytes(count: posed_grpc_message_count(handle)) { target in
            guard let start = target.baseAddress, !target.isEmpty else { return }
            readable = posed_grpc_message_read(handle, start)
        }
        guard readable else { return nil }
        return posed_grpc_message_is_gzip(handle) ? bytes.markedCompressed : bytes
    }
}

/// A message on its way out: keeps its memory until the library has sent it.
private final class SentMessage {
    private let storage: MessageStorage
    private let entry: ObjectCounts.Entry

    private init(_ storage: MessageStorage, objectCounts: ObjectCounts) {
        self.storage = storage
        entry = ObjectCounts.Entry(.messages, in: objectCounts)
    }

    static func adopt(_ message: MessageBytes, objectCounts: ObjectCounts) -> OpaquePointer? {
        let storage = message.owner
        let sent = Unmanaged.passRetained(SentMessage(storage, objectCounts: objectCounts))
        return posed_grpc_message_adopt(
            storage.bytes.baseAddress, storage.bytes.count,
            { context in
                guard let context else { return }
                Unmanaged<SentMessage>.fromOpaque(context).release()
            }, sent.toOpaque())
    }
}
