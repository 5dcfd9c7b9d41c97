/// The shape of a room's errors: a code to decide by, and a sentence.
package protocol CodedError: Error, Sendable, CustomStringConvertible {
    /// The classes of the room's errors.
    associatedtype Code: Hashable, Sendable

    /// The class of the error.
    var code: Code { get }
    /// One sentence: what was expected, what came, and where.
    var message: String { get }
    /// The error below this one, if any.
    var cause: (any Error)? { get }
}

extension CodedError {
    /// The message alone.
    package var description: String { message }
}
