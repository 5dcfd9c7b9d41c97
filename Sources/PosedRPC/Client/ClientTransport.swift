/// A call from the client's side: its streams, metadata and status, as bytes.
final class ClientTransport: Sendable {
    private let core: CoreCall
    private let reader: MessageReader
    private let writer: MessageWriter
    private let metadata = OneShot<Metadata>()
    private let ending = OneShot<CallStatus>()

    /// Begins a call: sends the metadata and listens for its answers.
    init(_ core: CoreCall, metadata: Metadata, options: CallOptions, maxSendBytes: Int) {
        self.core = core
        reader = MessageReader(core)
        writer = MessageWriter(core, limit: maxSendBytes)
        let initial = self.metadata
        let ending = ending
        let watched = core.start {
            $0.receiveStatus()
        } completed: { batch, _ in
            let status = batch.status
            ending.fulfil(
                CallStatus(
                    code: status.code, message: status.message,
                    trailingMetadata: batch.trailingMetadata))
        }
        let begun = core.start { batch in
            batch.sendInitialMetadata(metadata, waitForReady: options.waitForReady)
            batch.receiveInitialMetadata()
        } completed: { batch, _ in
            initial.fulfil(batch.initialMetadata)
        }
        if !watched || !begun {
            core.cancel(.internal, "the call could not be begun")
            initial.fulfil(Metadata())
            if !watched {
                ending.fulfil(
                    CallStatus(
                        code: .internal, message: "the call could not be begun",
                        trailingMetadata: Metadata()))
            }
        }
    }

    /// Ends the call; the server's handler is cancelled.
    func cancel() {
        core.cancel(.cancelled, "the client cancelled the call")
    }

    func initialMetadata() async -> Metadata {
        await withTaskCancellationHandler {
            await metadata.value()
        } onCancel: {
            cancel()
        }
    }

    func status() async -> CallStatus {
        await withTaskCancellationHandler {
            await ending.value()
        } onCancel: {
            cancel()
        }
    }

    /// The status if the call has ended.
    var statusNow: CallStatus? { ending.now }

    /// The next message; nil when the call ended well.
    func read() async throws -> MessageBytes? {
        let outcome = try await withTaskCancellationHandler {
            try await reader.next()
        } onCancel: {
            cancel()
        }
        if case .message(let bytes) = outcome { return bytes }
        let status = await status()
        guard status.code == .ok else { throw status.error }
        return nil
    }

    func write(_ message: MessageBytes) async throws {
        do {
            try await withTaskCancellationHandler {
                try await writer.write(message)
            } onCancel: {
                cancel()
            }
        } catch is BrokenCall {
            let status = await status()
            guard status.code == .ok else { throw status.error }
            throw RPCError(.aborted, "the server ended the call without reading all messages")
        }
    }

    /// Tells the server that no more messages follow.
    func finishWriting() async throws {
        writer.close()
        let sent = await core.perform { $0.sendClose() }
        guard sent?.success != true else { return }
        let status = await status()
        guard status.code == .ok else { throw status.error }
    }
}
