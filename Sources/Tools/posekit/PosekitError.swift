import Foundation
import PosedBase

/// What is wrong with a command's files or settings.
struct PosekitError: CodedError {
    /// The classes of the errors, for callers that decide by them.
    enum Code: String, Sendable, CaseIterable {
        /// A file or a setting is not what the command takes.
        case invalidInput
        /// A result cannot be written where it should go.
        case unwritable
    }

    let code: Code
    let message: String
    let cause: (any Error)?

    /// An error of the class `code` that says `message`.
    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

/// Errors of all rooms as the one sentence that a command ends with.
enum ErrorSentence {
    /// What to say of an error: its message, and that of its cause where that says more.
    static func text(_ error: any Error) -> String {
        let (message, cause) = parts(of: error)
        let sentence = line(message)
        guard let cause else { return sentence }
        let reason = text(cause)
        return sentence.contains(reason) ? sentence : "\(sentence) (\(reason))"
    }

    /// A text on one line, without control characters.
    static func line(_ text: String) -> String {
        let spaced = text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(spaced).split(separator: " ").joined(separator: " ")
    }

    private static func parts(of error: any Error) -> (message: String, cause: (any Error)?) {
        switch error {
        case let error as any CodedError: (error.message, error.cause)
        case let error as DecodingError: (text(of: error), nil)
        case let error as CocoaError: (error.localizedDescription, nil)
        default: ("\(error)", nil)
        }
    }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context), .dataCorrupted(let context):
            context.debugDescription
        @unknown default: "malformed JSON"
        }
    }
}
