/// Why a call did not succeed: what a client receives, and what a handler throws to send it.
package struct RPCError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure, for callers to decide by.
    package var code: StatusCode
    /// One sentence: what was expected, what came, and where. It goes over the wire.
    package var message: String
    /// Metadata that goes with the status (the trailer).
    package var metadata: Metadata
    /// What lies below, for logs alone: it never goes over the wire.
    package var cause: (any Error)?

    package init(
        _ code: StatusCode, _ message: String, metadata: Metadata = Metadata(),
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.metadata = metadata
        self.cause = cause
    }

    package var description: String {
        guard let cause else { return "\(code.name): \(message)" }
        return "\(code.name): \(message) (\(cause))"
    }
}
