package import PosedErrors
package import PosedVision

/// What holds for a stream of frames.
package struct StreamOptions: Sendable {
    /// `sessions/{session}`.
    package var session: String
    package var settings = FrameSettings()
    /// How long a pose may wait before a later one supersedes it; nil: every pose becomes a frame.
    package var maxLag: Duration?
    /// How soon after its receipt a frame is due.
    package var frameDeadline: Duration?
    /// Where on the path a solve begins at the frame before; 0: always at noise.
    package var warmStart = 0.0

    /// A stream of a session, otherwise with defaults.
    package init(session: String) { self.session = session }
}

/// One pose of a stream.
package struct StreamPose: Sendable {
    /// The caller's number, greater than that of the pose before.
    package var sequence: UInt64
    package var pose: PoseInput
    /// What differs from the stream's settings.
    package var settings: FrameSettings

    /// A pose as given.
    package init(sequence: UInt64, pose: PoseInput, settings: FrameSettings = FrameSettings()) {
        self.sequence = sequence
        self.pose = pose
        self.settings = settings
    }
}

/// The answer to one pose.
package struct StreamEvent: Sendable {
    /// What became of a pose.
    package enum Outcome: Sendable {
        case frame(Frame)
        /// A later pose had come; `waited` since its receipt.
        case superseded(by: UInt64, waited: Duration)
        case failed(RequestError)
    }

    package var sequence: UInt64
    package var outcome: Outcome

    /// An event as given.
    package init(sequence: UInt64, outcome: Outcome) {
        self.sequence = sequence
        self.outcome = outcome
    }
}

/// A stream of poses to frames, open until it is finished or cancelled.
package protocol FrameStream: Sendable {
    /// What frames are made with where a pose does not say otherwise.
    var settings: UsedSettings { get }

    /// Exactly one event for each pose submitted, in the order of the poses; ends after `finish` when
    /// all are answered, or at once after `cancel`.
    var events: AsyncStream<StreamEvent> { get }

    /// Takes a pose. What is wrong with it becomes its event. Waits while the stream's queue is full,
    /// unless the stream supersedes; cancelling the task that waits ends the stream.
    func submit(_ pose: StreamPose) async

    /// Answers a pose that could not even be read with its error, in its turn.
    func reject(sequence: UInt64, _ error: RequestError) async

    /// No more poses; those under way are finished.
    func finish()

    /// Stops all work within one velocity evaluation.
    func cancel()
}
