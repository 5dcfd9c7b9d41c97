import PosedBase

/// What went wrong between the host and a compute backend: finding it, loading it, or working with it.
package struct BackendError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// The caller broke the rules of the interface.
        case invalidArgument
        /// A valid request that this backend cannot serve.
        case unsupported
        /// One allocation failed; everything else goes on.
        case outOfMemory
        /// The device will not answer again.
        case deviceLost
        /// A defect of the backend, or of a library below it.
        case `internal`
        /// No such plugin, file or device.
        case notFound
        /// A plugin that does not fit this host, or that cannot be trusted.
        case incompatible
        /// A plugin that died or hung while it was probed.
        case crashed
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    /// An error of the class `code` that says `message`.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
