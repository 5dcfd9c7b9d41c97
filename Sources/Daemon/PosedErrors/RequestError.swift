/// Why a request was refused or could not be finished, as its caller is told.
///
/// An error is made where the fault is found, with the status, the field and the sentence that go to the
/// caller. Other errors (`VisionError`, `BackendError`, …) are about files, devices and plugins; they are
/// turned into one of these once, where a request meets them.
package struct RequestError: Error, Sendable, CustomStringConvertible {
    /// The canonical status of gRPC; the raw value is its number on the wire.
    package enum Code: Int32, Hashable, Sendable, CaseIterable {
        /// The caller stopped the request.
        case cancelled = 1
        /// A field holds a value that no request may have, or a required field is missing.
        case invalidArgument = 3
        /// The deadline passed before the work was done.
        case deadlineExceeded = 4
        /// The request names something that does not exist for its caller.
        case notFound = 5
        /// The request makes something under a name that is taken.
        case alreadyExists = 6
        /// The caller is known and may not do this.
        case permissionDenied = 7
        /// A bound of the caller or of the daemon is reached; the same request may succeed later.
        case resourceExhausted = 8
        /// The state of the daemon does not allow the request, whenever it is repeated.
        case failedPrecondition = 9
        /// Another request changed the same thing in between; read it again and repeat the change.
        case aborted = 10
        /// The daemon does not do this.
        case unimplemented = 12
        /// A defect of the daemon or of its machine; the log tells more.
        case `internal` = 13
        /// The daemon is starting, draining, or has lost its device.
        case unavailable = 14
        /// The caller did not prove who it is.
        case unauthenticated = 16
    }

    /// A bound that the request would exceed (`google.rpc.QuotaFailure.Violation`).
    package struct QuotaViolation: Hashable, Sendable {
        /// Whose bound, such as `identity:token:alice`, `peer:203.0.113.7` or `daemon`.
        package var subject: String
        /// One sentence: the bound, its unit, and how much of it is used.
        package var description: String

        /// A violation as given.
        package init(subject: String, description: String) {
            self.subject = subject
            self.description = description
        }
    }

    /// The status.
    package let code: Code
    /// One sentence: what was expected and what came. It names no file and no device of the daemon, and not
    /// the field, which stands in `field`.
    package let message: String
    /// The field of the request that the error is about; nil when it is about no single field.
    package var field: FieldPath?
    /// After how long it makes sense to send the same request again; nil when the daemon cannot tell.
    package var retryAfter: Duration?
    /// The bounds that the request would exceed; of `resourceExhausted` alone.
    package var quota: [QuotaViolation]
    /// The error below this one, for the log alone.
    package let cause: (any Error)?

    /// An error as given.
    package init(
        _ code: Code, _ message: String, at field: FieldPath? = nil, retryAfter: Duration? = nil,
        quota: [QuotaViolation] = [], cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.field = field
        self.retryAfter = retryAfter
        self.quota = quota
        self.cause = cause
    }

    /// The sentence, after the field's path where there is one: `settings.nfe: expected …`.
    package var description: String {
        field.map { "\($0): \(message)" } ?? message
    }

    /// The refusal of a request that would exceed a bound, RESOURCE_EXHAUSTED.
    ///
    /// - Parameters:
    ///   - sentence: The bound, its unit, and how much of it is used.
    ///   - subject: Whose bound, such as `identity:token:alice` or `daemon`.
    package static func quota(
        _ sentence: String, of subject: String, at field: FieldPath? = nil,
        retryAfter: Duration? = nil
    ) -> RequestError {
        RequestError(
            .resourceExhausted, sentence, at: field, retryAfter: retryAfter,
            quota: [QuotaViolation(subject: subject, description: sentence)])
    }

    /// The caller stopped the request.
    package static let cancelled = RequestError(.cancelled, "the caller stopped the request")
}

extension RequestError {
    /// The same error, its field renamed by the first rule that fits.
    ///
    /// - Parameter names: What the request calls a field that the callee knows under its own name, such as
    ///   `["settings": "default_settings"]`; what stands below the field keeps its place:
    ///   `settings.nfe` becomes `default_settings.nfe`.
    package func renamed(_ names: KeyValuePairs<FieldPath, FieldPath>) -> RequestError {
        guard let field else { return self }
        var renamed = self
        for (old, new) in names {
            guard let rest = field.steps(below: old) else { continue }
            renamed.field = new.appending(rest)
            break
        }
        return renamed
    }

    /// Runs a call whose errors name fields in the callee's words, and throws them in the request's.
    package static func renaming<Value>(
        _ names: KeyValuePairs<FieldPath, FieldPath>, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch let error as RequestError {
            throw error.renamed(names)
        }
    }
}
