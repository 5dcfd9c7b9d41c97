import PosedGuarded

/// A call from the client's side: its streams, metadata and status, as bytes.
final class ClientTransport: Sendable {
    private let core: CoreCall
    private let reader: MessageReader
    private let writer: MessageWriter
    private let metadata = OneShot<Metadata>()
    private let ending = OneShot<CallStatus>()
    private let finished = Guarded(false)

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

    /// Returns whether the library has taken the message: not when the server has ended the call
    /// without reading it, and messages of its own are still to be read.
    func write(_ message: MessageBytes) async throws -> Bool {
        do {
            try await withTaskCancellationHandler {
                try await writer.write(message)
            } onCancel: {
                cancel()
            }
            return true
        } catch is BrokenCall {
            try await explainBreak()
            return false
        }
    }

    /// Throws the status of a call that broke while something was sent, if that is why.
    ///
    /// The status of a call comes behind its last message. So it can be waited for only when none is
    /// left; else whoever reads on will learn of it.
    private func explainBreak() async throws(RPCError) {
        let isOver = await withTaskCancellationHandler {
            await reader.isOver()
        } onCancel: {
            cancel()
        }
        guard isOver else { return }
        let status = await status()
        guard status.code == .ok else { throw status.error }
    }

    /// Tells the server that no more messages follow; once is enough.
    func finishWriting() async throws {
        let isFirst = finished.withLock { finished in
            defer { finished = true }
            return !finished
        }
        guard isFirst else { return }
        writer.close()
        let sent = await withTaskCancellationHandler {
            await core.perform { $0.sendClose() }
        } onCancel: {
            cancel()
        }
        if sent?.success != true { try await explainBreak() }
    }
}
