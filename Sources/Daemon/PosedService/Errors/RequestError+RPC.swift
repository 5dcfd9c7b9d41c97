package import PosedErrors
package import PosedProtos
package import PosedRPC
import PosedServing
package import SwiftProtobuf

extension FieldPath {
    /// Runs a reading of the value at this path; an error that does not know its field gets this one.
    ///
    /// - Throws: `RequestError`, and `CancellationError`.
    func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw RequestError(error, at: self)
        }
    }
}

extension RPCError {
    /// The status that a caller gets: code and sentence, and a `google.rpc.Status` with the details in the
    /// trailers where there are any.
    package init(_ error: RequestError) {
        self.init(
            StatusCode(rawValue: error.code.rawValue), error.description, cause: error.cause)
        let details = error.details
        guard !details.isEmpty else { return }
        var status = Google_Rpc_Status()
        status.code = error.code.rawValue
        // Clients compare both with those of the call.
        status.message = sentMessage
        status.details = details
        metadata.statusDetails = try? status.serializedBytes()
    }
}

extension RequestError {
    /// The longest sentence in a detail, in characters: trailers must fit a client's limit for metadata.
    private static let longestDetail = 200
    /// The most violations in a detail.
    private static let mostViolations = 3

    /// What a program may act on: the field that is wrong, when to try again, the bounds reached.
    package var details: [Google_Protobuf_Any] {
        var details: [any Message] = []
        if let field, code == .invalidArgument {
            var violation = Google_Rpc_BadRequest.FieldViolation()
            violation.field = String(field.description.prefix(Self.longestDetail))
            violation.description_p = String(message.prefix(Self.longestDetail))
            var request = Google_Rpc_BadRequest()
            request.fieldViolations = [violation]
            details.append(request)
        }
        if let retryAfter {
            var info = Google_Rpc_RetryInfo()
            info.retryDelay = Google_Protobuf_Duration(retryAfter)
            details.append(info)
        }
        if !quota.isEmpty {
            var failure = Google_Rpc_QuotaFailure()
            failure.violations = quota.prefix(Self.mostViolations).map { bound in
                var violation = Google_Rpc_QuotaFailure.Violation()
                violation.subject = String(bound.subject.prefix(Self.longestDetail))
                violation.description_p = String(bound.description.prefix(Self.longestDetail))
                return violation
            }
            details.append(failure)
        }
        return details.compactMap { try? Google_Protobuf_Any(message: $0) }
    }
}

extension Posed_V1_FrameError {
    /// What a stream's caller is told of a pose that came to no frame.
    package init(_ error: RequestError) {
        self.init()
        code = error.code.rawValue
        message = RPCError(error).sentMessage
        details = error.details
    }
}
