/// What went wrong between this process and its service manager.
package struct SystemdError: Error, Sendable, CustomStringConvertible {
    /// The class of an error, for callers that decide by it.
    package struct Code: Hashable, Sendable {
        private enum Kind: String {
            case invalidEnvironment, unsupportedAddress, sendFailed, badDescriptor
        }

        private let kind: Kind

        /// A variable that the service manager sets holds a value that it never sets.
        package static let invalidEnvironment = Code(kind: .invalidEnvironment)
        /// A notification socket of a family that this room does not speak.
        package static let unsupportedAddress = Code(kind: .unsupportedAddress)
        /// The kernel did not take a notification.
        package static let sendFailed = Code(kind: .sendFailed)
        /// An inherited descriptor that is not what its user needs.
        package static let badDescriptor = Code(kind: .badDescriptor)
    }

    /// The class of the error.
    package let code: Code
    /// One sentence: what was expected, what came, and where.
    package let message: String
    /// The value of `errno`, where a system call failed.
    package let errno: Int32?

    /// An error of a class, with its sentence.
    package init(_ code: Code, _ message: String, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    package var description: String { message }
}
