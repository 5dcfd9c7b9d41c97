package import PosedAccounts
package import PosedErrors
package import PosedVision

/// What holds for a stream of frames.
package struct StreamOptions: Sendable {
    /// `sessions/{session}`.
    package var session: String
    package var settings = FrameSettings()
    /// How long a pose may wait before a later one supersedes it; nil: every pose becomes a frame.
    package var maxLag: Duration?
    /// Whether the daemon's default lag is not to be taken where `maxLag` is nil.
    package var everyPose = false
    /// How soon after its receipt a frame is due.
    package var frameDeadline: Duration?
    /// Where on the path a solve begins at the frame before; 0: always at noise.
    package var warmStart = 0.0
    /// The pose of the person in the session's main picture, which all poses are fitted to; nil where they stay as
    /// they are.
    package var retargetTo: Keypoints?
    /// Calms joints that tremble, before poses are fitted.
    package var smoother: PoseSmoother?

    /// A stream of a session, otherwise with defaults.
    package init(session: String) { self.session = session }
}

/// One pose of a stream.
package struct StreamPose: Sendable {
    /// A pose that could be read.
    package struct Content: Sendable {
        package var pose: PoseInput
        /// What differs from the stream's settings.
        package var settings: FrameSettings

        /// A pose as given.
        package init(_ pose: PoseInput, settings: FrameSettings = FrameSettings()) {
            self.pose = pose
            self.settings = settings
        }
    }

    /// The caller's number, greater than that of the pose before; nil where the message could not be read.
    package var sequence: UInt64?
    /// The pose, or why it cannot be read, which is its answer.
    package var content: Result<Content, RequestError>
    /// How long reading it took, which counts as time of the frame.
    package var readTime: Duration
    /// What its caller's account holds for the message; given back when the answer has been taken.
    package var hold: Hold?

    /// A pose as given.
    package init(
        sequence: UInt64?, _ content: Result<Content, RequestError>, readTime: Duration = .zero,
        hold: Hold? = nil
    ) {
        self.sequence = sequence
        self.content = content
        self.readTime = readTime
        self.hold = hold
    }
}

/// The answer to one pose.
package struct StreamAnswer: Sendable {
    /// What became of a pose.
    package enum Outcome: Sendable {
        /// A frame, and how its picture is to be sent.
        case frame(Frame, PictureFormat)
        /// A later pose had come; `waited` since its receipt.
        case superseded(by: UInt64, waited: Duration)
        case failed(RequestError)
    }

    /// The number of the pose; 0 where it had none.
    package var sequence: UInt64
    package var outcome: Outcome

    /// An answer as given.
    package init(sequence: UInt64, outcome: Outcome) {
        self.sequence = sequence
        self.outcome = outcome
    }
}
