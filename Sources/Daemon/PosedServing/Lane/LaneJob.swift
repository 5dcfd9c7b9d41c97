package import PosedAccounts
package import PosedErrors
package import PosedPipeline
package import PosedScheduling
package import PosedSolvers
package import PosedTensor
package import PosedVision

/// The scheduler of a lane.
package typealias LaneScheduler = Scheduler<LaneForm, ContinuousClock.Instant>

/// What a job came to.
package enum LaneOutcome: Sendable {
    /// A source was encoded, in so much time.
    case conditioning(any Conditioning, Duration)
    /// A picture was made.
    case frame(Frame)
    /// A later pose of the stream, of this number, had come.
    case superseded(by: UInt64, waited: Duration)
    /// No result.
    case failed(RequestError)
}

/// A frame to be made.
package struct FrameWork: Sendable {
    /// The person.
    package var source: any Conditioning
    package var pose: PoseInput
    /// The pose encoded, if it was there already.
    package var encodedPose: (any Conditioning)?
    package var settings: SamplingSettings
    package var tableau: ButcherTableau
    /// What the frame will say of itself; the lane adds what it decides.
    package var used: UsedSettings
    package var cache: CacheUse
    /// Time that the source took.
    package var sourceTime: Duration
    /// Where on the path the solve begins at the frame before; 0: at noise.
    package var warmStart: Double
    /// Called on the lane's thread with the pose when it was encoded for this frame.
    package var onPose: @Sendable (any Conditioning) -> Void

    /// A frame of that person in that pose; the rest is set by properties.
    package init(
        source: any Conditioning, pose: PoseInput, settings: SamplingSettings,
        tableau: ButcherTableau
    ) {
        self.source = source
        self.pose = pose
        self.settings = settings
        self.tableau = tableau
        used = UsedSettings()
        cache = CacheUse()
        sourceTime = .zero
        warmStart = 0
        onPose = { _ in }
    }
}

/// Work for the lane, and whom to tell of its outcome.
package struct LaneJob: Sendable {
    /// What is to be done.
    package enum Work: Sendable {
        /// Encode a person's pictures.
        case source([Image])
        /// Take in a source that was encoded by an earlier process.
        case restore([HostTensor?])
        /// Make a picture.
        case frame(FrameWork)
    }

    /// What the scheduler knows of it.
    package var job: LaneScheduler.Job
    package var work: Work
    /// Whom it is charged to; nil for nobody.
    package var account: Account?
    /// What the account holds for it until it has ended.
    var holds: [Hold] = []
    /// Its number in its stream.
    package var sequence: UInt64
    /// Called exactly once, from any thread; returns at once.
    package var completion: @Sendable (LaneOutcome) -> Void

    /// A job as given.
    package init(
        _ job: LaneScheduler.Job, _ work: Work, account: Account? = nil, sequence: UInt64 = 0,
        completion: @escaping @Sendable (LaneOutcome) -> Void
    ) {
        self.job = job
        self.work = work
        self.account = account
        self.sequence = sequence
        self.completion = completion
    }
}
