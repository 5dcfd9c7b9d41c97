internal import PosedErrors

/// Stands around every call: looks at it before its first message is read, lets it go on by calling
/// `next` or turns it away by throwing, and sees how it ended.
///
/// The first of a server's interceptors is the outermost. What `next` throws should be thrown on;
/// `RPCError.init(_:in:)` says what the client will be told of it.
package typealias ServerInterceptor =
    @Sendable (
        _ request: ServerRequest, _ context: ServerContext, _ next: () async throws -> Void
    ) async throws -> Void

extension RPCError {
    /// The longest message of a status, in bytes: trailers must fit a client's limit for metadata.
    static let longestMessage = 1024

    /// What the client is told when a handler ends with `error`.
    ///
    /// An `RPCError` goes as it is. A cancelled call tells why. Everything else is `internal` and
    /// keeps its details for the server's log.
    package init(_ error: any Error, in context: ServerContext) {
        if let error = error as? RPCError {
            self = error
            if error.code == .ok { code = .internal }
            return
        }
        if let error = error as? RequestError, !context.isCancelled {
            self.init(plain: error)
            return
        }
        switch context.cancellation {
        case .client:
            self.init(.cancelled, "the client cancelled the call", cause: error)
        case .deadline:
            self.init(.deadlineExceeded, "the call's deadline has passed", cause: error)
        case .shutdown?, .idle?, .revoked?:
            self = context.cancellation?.status ?? RPCError(.cancelled, "the call was cancelled")
            cause = error
        case nil:
            if error is CancellationError || error is BrokenCall {
                self.init(.cancelled, "the call was cancelled", cause: error)
            } else {
                let id = context.request.id
                self.init(
                    .internal, "internal error; the server's log tells more under \(id)",
                    cause: error)
            }
        }
    }

    /// The message as it is sent: at most `longestMessage` bytes, whole characters.
    package var sentMessage: String {
        guard message.utf8.count > RPCError.longestMessage else { return message }
        var end = message.startIndex
        var count = 0
        for index in message.indices {
            count += message[index].utf8.count
            if count > RPCError.longestMessage - 3 { break }
            end = message.index(after: index)
        }
        return message[..<end] + "…"
    }
}
