package import CPosedBackend
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

    /// The message, followed by that of the cause.
    package var description: String {
        guard let cause else { return message }
        return "\(message) (\(cause))"
    }
}

extension BackendError.Code {
    /// The code of a status that is not `POSED_OK`; an unknown status is a defect of the plugin.
    package init(_ status: posed_status) {
        switch status {
        case POSED_INVALID_ARGUMENT: self = .invalidArgument
        case POSED_UNSUPPORTED: self = .unsupported
        case POSED_OUT_OF_MEMORY: self = .outOfMemory
        case POSED_DEVICE_LOST: self = .deviceLost
        default: self = .internal
        }
    }
}

extension BackendError {
    /// Calls a function of a plugin's table and throws what it reports, as "`context`: its sentence".
    package static func check(
        _ context: @autoclosure () -> String,
        _ call: (UnsafeMutablePointer<posed_error>) -> posed_status
    ) throws(BackendError) {
        var error = posed_error()
        let status = call(&error)
        guard status != POSED_OK else { return }
        let text = error.text
        let sentence = text.isEmpty ? "status \(status.rawValue), and no message" : text
        throw BackendError(Code(status), "\(context()): \(sentence)")
    }
}

extension posed_error {
    /// The message as a string; empty where the plugin wrote none.
    package var text: String {
        withUnsafeBytes(of: message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
