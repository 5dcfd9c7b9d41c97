/// What went wrong between the host and a compute backend: finding it, loading it, or working with it.
package struct BackendError: Error, Sendable {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable, CaseIterable {
        private enum Kind: String, CaseIterable {
            case invalidArgument, unsupported, outOfMemory, deviceLost
            case `internal`, notFound, incompatible, crashed
        }

        private let kind: Kind

        /// The caller broke the rules of the interface.
        package static let invalidArgument = Code(kind: .invalidArgument)
        /// A valid request that this backend cannot serve.
        package static let unsupported = Code(kind: .unsupported)
        /// One allocation failed; everything else goes on.
        package static let outOfMemory = Code(kind: .outOfMemory)
        /// The device will not answer again.
        package static let deviceLost = Code(kind: .deviceLost)
        /// A defect of the backend, or of a library below it.
        package static let `internal` = Code(kind: .internal)
        /// No such plugin, file or device.
        package static let notFound = Code(kind: .notFound)
        /// A plugin that does not fit this host, or that cannot be trusted.
        package static let incompatible = Code(kind: .incompatible)
        /// A plugin that died or hung while it was probed.
        package static let crashed = Code(kind: .crashed)

        /// All classes.
        package static let allCases: [Code] = Kind.allCases.map(Code.init(kind:))
    }

    /// The class of the error.
    package var code: Code
    /// One sentence: what was expected, what came, and where.
    package var message: String
    /// The error below this one, if any.
    package var cause: (any Error)?

    /// An error of the class `code` that says `message`.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension BackendError.Code: CustomStringConvertible {
    /// The name of the code, such as `outOfMemory`.
    package var description: String { kind.rawValue }
}

extension BackendError: CustomStringConvertible {
    /// The message, followed by that of the cause.
    package var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }
}
