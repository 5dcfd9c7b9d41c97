import PosedBase
package import PosedRPC
import PosedVision

/// Why a command failed.
package struct PosectlError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    package enum Code: String, Sendable, CaseIterable {
        /// The daemon refused a request, or could not fulfil it.
        case refused
        /// The daemon could not be reached.
        case unreachable
        /// A file cannot be read, or a result written.
        case file

        /// What the process ends with.
        package var exitStatus: Int32 {
            switch self {
            case .refused: 1
            case .unreachable: 3
            case .file: 4
            }
        }
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

    /// Any error, as the sentence that a command ends with.
    package init(_ error: any Error) {
        switch error {
        case let error as PosectlError: self = error
        case let error as RPCError: self.init(error)
        case let error as VisionError:
            self.init(.file, Text.line(error.message), cause: error)
        case is CancellationError: self.init(.refused, "the command was interrupted")
        default: self.init(.refused, Text.line("\(error)"), cause: error)
        }
    }

    /// What the daemon said, and what can be done about it.
    package init(_ error: RPCError) { self.init(error, hasToken: false) }

    /// What the daemon said, and what can be done about it by a caller who sent a token, or none.
    package init(_ error: RPCError, hasToken: Bool) {
        var sentence = "\(error.code.name): \(Text.line(error.message))"
        switch error.code {
        case .unauthenticated where hasToken:
            sentence += " (a token was sent; the daemon does not accept this one)"
        case .unauthenticated: sentence += " (--token-file FILE, or --cert FILE and --key FILE)"
        case .deadlineExceeded: sentence += " (--timeout lets a request take longer)"
        case .unimplemented: sentence += " (posectl and the daemon may be of different versions)"
        case .internal:
            if let id = error.metadata[ServerRequest.idKey] {
                sentence += " (request \(Text.line(id)))"
            }
        default: break
        }
        self.init(.refused, sentence, cause: error)
    }
}
