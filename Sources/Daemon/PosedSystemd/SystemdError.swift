import PosedBase

/// What went wrong between this process and its service manager.
package struct SystemdError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// A variable that the service manager sets holds a value that it never sets.
        case invalidEnvironment
        /// A notification socket of a family that this room does not speak.
        case unsupportedAddress
        /// The kernel did not take a notification.
        case sendFailed
        /// An inherited descriptor that is not what its user needs.
        case badDescriptor
    }

    package let code: Code
    package let message: String
    /// The value of `errno`, where a system call failed.
    package let errno: Int32?

    /// An error of the class `code` that says `message`.
    package init(_ code: Code, _ message: String, errno: Int32? = nil) {
        self.code = code
        self.message = message
        self.errno = errno
    }

    package var cause: (any Error)? { nil }
}
