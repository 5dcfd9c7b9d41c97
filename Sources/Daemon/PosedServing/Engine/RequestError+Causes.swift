import PosedBackend
package import PosedErrors
import PosedPipeline
import PosedSolvers
import PosedVision

extension RequestError {
    /// What a caller is told of an error that a file, a device or a model brought about.
    ///
    /// This is the only place that decides it. Sentences about the request itself are passed on; those that
    /// name files and devices of the daemon stay in `cause`, which the log tells.
    ///
    /// - Parameter field: The field that the error is about, where the error does not know that itself.
    package init(_ error: any Error, at field: FieldPath? = nil) {
        switch error {
        case let error as RequestError:
            self = error
            if self.field == nil { self.field = field }
        case is CancellationError: self = .cancelled
        case let error as VisionError: self.init(vision: error, at: field)
        case let error as SolverError:
            switch error.code {
            case .invalidRequest, .unknownSolver:
                self.init(.invalidArgument, error.message, at: field, cause: error)
            default: self.init(internal: error)
            }
        case let error as PipelineError:
            switch error.code {
            case .invalidRequest:
                self.init(.invalidArgument, error.message, at: field, cause: error)
            case .cancelled: self = .cancelled
            case .diverged: self.init(.internal, error.message, cause: error)
            default: self.init(internal: error)
            }
        case let error as BackendError:
            switch error.code {
            case .outOfMemory:
                self.init(
                    .resourceExhausted,
                    "the device has no memory left for this request; a smaller picture or fewer "
                        + "sources need less", retryAfter: .seconds(1),
                    quota: [
                        QuotaViolation(subject: "daemon", description: "memory of the device")
                    ], cause: error)
            case .deviceLost:
                self.init(.unavailable, "the daemon lost the device it computes on", cause: error)
            default: self.init(internal: error)
            }
        default: self.init(internal: error)
        }
    }

    private init(vision error: VisionError, at field: FieldPath?) {
        switch error.code {
        case .malformedPose, .incompletePose, .emptyPose, .nonFinitePose, .poseOutsidePicture,
            .unclearUnits, .severalPoses:
            self.init(.invalidArgument, error.message, at: field ?? "pose", cause: error)
        case .outOfMemory:
            self.init(
                .resourceExhausted, "the host has no memory left for this picture", at: field,
                retryAfter: .seconds(1),
                quota: [QuotaViolation(subject: "daemon", description: "memory of the host")],
                cause: error)
        case .unreadableFile, .unwritableFile, .invalidPixels, .invalidConfiguration:
            self.init(internal: error)
        default: self.init(.invalidArgument, error.message, at: field, cause: error)
        }
    }

    /// A defect of the daemon or of its machine: the caller learns that it was one, the log which.
    private init(internal error: any Error) {
        self.init(
            .internal, "the daemon failed; its log tells the cause under the id of this request",
            cause: error)
    }

    /// What metrics say of a frame that ends so.
    var outcome: String {
        switch code {
        case .cancelled: "cancelled"
        case .deadlineExceeded: "expired"
        default: "failed"
        }
    }
}
