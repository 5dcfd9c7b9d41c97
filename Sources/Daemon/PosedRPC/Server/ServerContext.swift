package import PosedAccounts
internal import PosedGuarded

/// Why a call ended before its handler was done.
package enum CancellationReason: Sendable, Hashable {
    /// The client cancelled it or is gone.
    case client
    /// Its deadline passed.
    case deadline
    /// The server was told to end all calls.
    case shutdown
    /// Its client sent nothing, or read nothing, for too long.
    case idle
    /// Its client may not make such calls any more.
    case revoked

    /// What the client is told where the server is who ends the call.
    var status: RPCError? {
        switch self {
        case .client, .deadline: nil
        case .shutdown: RPCError(.unavailable, "the server is shutting down")
        case .idle:
            RPCError(.deadlineExceeded, "the client neither sent nor read a message for too long")
        case .revoked:
            RPCError(.unauthenticated, "the identity of this call is no longer accepted")
        }
    }
}

/// What changes in a call while it is served: identity, cancellation, metadata of the reply.
package final class ServerContext: Sendable {
    private struct State {
        var cancellation: CancellationReason?
        var onCancel: [@Sendable (CancellationReason) -> Void] = []
        var initialMetadata = Metadata()
        var trailingMetadata = Metadata()
        var opened = false
    }

    package let request: ServerRequest
    /// Who calls.
    package let identity: Identity
    /// Whom the call's work is charged to.
    package let account: Account
    /// The largest message that the client may send, in bytes.
    let largestMessage: Int
    private let state = Guarded(State())

    /// The context of a call that was admitted.
    package init(_ request: ServerRequest, _ admission: Admission) {
        self.request = request
        identity = admission.identity
        account = admission.account
        largestMessage = admission.largestMessage
    }

    /// Why the call was cancelled; nil while it is alive.
    package var cancellation: CancellationReason? { state.withLock { $0.cancellation } }

    package var isCancelled: Bool { cancellation != nil }

    /// Runs `action` at once when the call is cancelled, or now if it is.
    ///
    /// It runs on the thread of a completion queue and must not block. Actions are dropped when the
    /// call ends without being cancelled.
    package func onCancel(_ action: @escaping @Sendable (CancellationReason) -> Void) {
        let reason = state.withLock { state in
            if state.cancellation == nil { state.onCancel.append(action) }
            return state.cancellation
        }
        if let reason { action(reason) }
    }

    /// Changes the metadata that goes before the first message.
    ///
    /// - Throws: what `change` throws, and `RPCError` with `internal` when it has been sent.
    package func updateInitialMetadata(
        _ change: (inout Metadata) throws(RPCError) -> Void
    ) throws(RPCError) {
        try state.withLock { state throws(RPCError) in
            guard !state.opened else {
                throw RPCError(.internal, "the initial metadata has been sent already")
            }
            try change(&state.initialMetadata)
        }
    }

    /// Changes the metadata that goes with the status.
    package func updateTrailingMetadata(
        _ change: (inout Metadata) throws(RPCError) -> Void
    ) throws(RPCError) {
        try state.withLock { state throws(RPCError) in try change(&state.trailingMetadata) }
    }

    /// The metadata that goes with the status, as it is now.
    package var trailingMetadata: Metadata { state.withLock { $0.trailingMetadata } }

    /// The initial metadata the first time it is asked for, nil afterwards.
    func open() -> Metadata? {
        state.withLock { state in
            guard !state.opened else { return nil }
            state.opened = true
            return state.initialMetadata
        }
    }

    /// Notes why the call is over and runs what waits for that; only the first reason counts.
    package func cancel(_ reason: CancellationReason) {
        let actions: [@Sendable (CancellationReason) -> Void] = state.withLock { state in
            guard state.cancellation == nil else { return [] }
            state.cancellation = reason
            defer { state.onCancel = [] }
            return state.onCancel
        }
        for action in actions { action(reason) }
    }

    /// Drops what waits for a cancellation that will not come.
    func settle() {
        let dropped = state.withLock { state in
            defer { state.onCancel = [] }
            return state.onCancel
        }
        _ = dropped  // released outside of the lock
    }
}
