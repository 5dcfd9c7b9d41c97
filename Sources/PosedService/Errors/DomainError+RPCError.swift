package import PosedBackend
package import PosedPipeline
package import PosedRPC
package import PosedServing
package import PosedSessions
package import PosedSolvers
package import PosedVision

/// Which status every error of the house has. This is the only place that decides it.
package enum DomainError {
    /// Requests, as far as their messages show.
    package static let service: [ServiceError.Code: StatusCode] = [
        .invalidRequest: .invalidArgument,
        .notFound: .notFound,
        .unavailable: .unavailable,
        .failed: .internal,
    ]

    /// The engine room's.
    package static let serving: [ServingError.Code: StatusCode] = [
        .invalidRequest: .invalidArgument,
        .notFound: .notFound,
        .limitReached: .resourceExhausted,
        .expired: .deadlineExceeded,
        .cancelled: .cancelled,
        .unavailable: .unavailable,
        .failed: .internal,
    ]

    /// The store of sessions'.
    package static let session: [SessionError.Code: StatusCode] = [
        .notFound: .notFound,
        .invalidArgument: .invalidArgument,
        .limitReached: .resourceExhausted,
        .conflict: .aborted,
        .locked: .internal,
        .diskFull: .internal,
        .readOnly: .internal,
        .unreadable: .internal,
        .unwritable: .internal,
        .damaged: .internal,
    ]

    /// Pictures' and poses'.
    package static let vision: [VisionError.Code: StatusCode] = [
        .unreadableFile: .internal,
        .unwritableFile: .internal,
        .notAPicture: .invalidArgument,
        .damagedPicture: .invalidArgument,
        .unsupportedPicture: .invalidArgument,
        .tooLarge: .invalidArgument,
        .outOfMemory: .resourceExhausted,
        .invalidSize: .invalidArgument,
        .invalidPixels: .internal,
        .invalidConfiguration: .internal,
        .malformedPose: .invalidArgument,
        .incompletePose: .invalidArgument,
        .emptyPose: .invalidArgument,
        .nonFinitePose: .invalidArgument,
        .poseOutsidePicture: .invalidArgument,
    ]

    /// Solvers'.
    package static let solver: [SolverError.Code: StatusCode] = [
        .invalidTableau: .internal,
        .invalidRequest: .invalidArgument,
        .unknownSolver: .invalidArgument,
        .unreadable: .internal,
    ]

    /// The pipeline's.
    package static let pipeline: [PipelineError.Code: StatusCode] = [
        .invalidModel: .internal,
        .invalidRequest: .invalidArgument,
        .diverged: .internal,
        .cancelled: .cancelled,
    ]

    /// Backends'.
    package static let backend: [BackendError.Code: StatusCode] = [
        .invalidArgument: .internal,
        .unsupported: .internal,
        .outOfMemory: .resourceExhausted,
        .deviceLost: .unavailable,
        .internal: .internal,
        .notFound: .internal,
        .incompatible: .internal,
        .crashed: .internal,
    ]

    /// What a caller is told of an error: its status and its sentence, never its cause.
    ///
    /// Nil for an error that is no room's, and for one of the engine's that was not written for
    /// callers: the transport tells of an internal error, and the log says which.
    package static func rpcError(_ error: any Error) -> RPCError? {
        if let error = error as? RPCError { return error }
        return status(of: error).map { RPCError($0.code, $0.message, cause: error) }
    }

    /// The status and the sentence of an error that callers may be told; nil for all others.
    static func status(of error: any Error) -> (code: StatusCode, message: String)? {
        switch error {
        case let error as ServiceError: found(service[error.code], error.message)
        case let error as ServingError: found(serving[error.code], error.message)
        case let error as SessionError: spoken(session[error.code], error.message)
        case let error as VisionError: spoken(vision[error.code], error.message)
        case let error as SolverError: spoken(solver[error.code], error.message)
        case let error as PipelineError: spoken(pipeline[error.code], error.message)
        case let error as BackendError: spoken(backend[error.code], error.message)
        default: nil
        }
    }

    private static func found(
        _ code: StatusCode?, _ message: String
    ) -> (code: StatusCode, message: String)? {
        code.map { ($0, message) }
    }

    /// As `found`, but what is INTERNAL down there was written for the log: it names files and devices.
    private static func spoken(
        _ code: StatusCode?, _ message: String
    ) -> (code: StatusCode, message: String)? {
        code == .internal ? nil : found(code, message)
    }
}
