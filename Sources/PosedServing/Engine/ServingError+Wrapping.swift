import PosedBackend
import PosedModels
import PosedPipeline
import PosedSessions
import PosedSolvers
import PosedVision

extension ServingError {
    /// What an error of the rooms below means for a caller, and what of the request it is about, where it
    /// does not know that itself.
    init(wrapping error: any Error, about field: Field? = nil) {
        switch error {
        case let error as ServingError: self = error
        case is CancellationError: self = .cancelledByCaller
        case let error as PipelineError:
            let code: Code =
                error.code == .invalidRequest
                ? .invalidRequest : error.code == .cancelled ? .cancelled : .failed
            self.init(code, error.message, cause: error)
        case let error as SolverError: self.init(.invalidRequest, error.message, cause: error)
        case let error as VisionError:
            let code: Code = error.code == .outOfMemory ? .failed : .invalidRequest
            let poses: Set<VisionError.Code> = [
                .malformedPose, .incompletePose, .emptyPose, .nonFinitePose, .poseOutsidePicture,
            ]
            self.init(
                code, error.message, about: poses.contains(error.code) ? .pose : nil, cause: error)
        case let error as SessionError: self.init(session: error)
        case let error as BackendError:
            let code: Code = error.code == .deviceLost ? .unavailable : .failed
            self.init(code, "the device could not do it: \(error.message)", cause: error)
        default: self.init(.failed, "the engine failed: \(error)", cause: error)
        }
        if self.field == nil { self.field = field }
    }

    private init(session error: SessionError) {
        let code: Code
        switch error.code {
        case .notFound: code = .notFound
        case .invalidArgument, .conflict: code = .invalidRequest
        case .limitReached: code = .limitReached
        default: code = .failed
        }
        self.init(
            code, error.message, about: error.code == .notFound ? .session : nil, cause: error)
    }

    /// What a frame came to that ends so, in metrics.
    var outcome: String {
        [.cancelled, .expired].contains(code) ? code.description : "failed"
    }

    /// The caller stopped the work.
    static let cancelledByCaller = ServingError(.cancelled, "the caller stopped the request")
}
