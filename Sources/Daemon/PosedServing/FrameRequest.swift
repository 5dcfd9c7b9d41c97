package import PosedVision

/// One picture asked for.
package struct FrameRequest: Sendable {
    /// Whose picture.
    package enum Subject: Sendable {
        /// A session's person, `sessions/{session}`.
        case session(String)
        /// A person seen in pictures that come along; `model` is `models/{model}`, nil for the default.
        case pictures([Image], model: String?, framing: SourceFraming = SourceFraming())
    }

    package var subject: Subject
    package var pose: PoseInput
    /// The pose of the person in the main picture, which `pose` is fitted to; nil where it stays as it is.
    package var retargetTo: Keypoints?
    package var settings: FrameSettings
    /// When the caller gives up. Work stops within one velocity evaluation.
    package var deadline: ContinuousClock.Instant?

    /// A request as given.
    package init(
        subject: Subject, pose: PoseInput, retargetTo: Keypoints? = nil,
        settings: FrameSettings = FrameSettings(), deadline: ContinuousClock.Instant? = nil
    ) {
        self.subject = subject
        self.pose = pose
        self.retargetTo = retargetTo
        self.settings = settings
        self.deadline = deadline
    }
}
