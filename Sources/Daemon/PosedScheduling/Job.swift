/// Work that somebody waits for: as a rule a frame, or the encoding of a source alone.
///
/// `Form` says which evaluations may share a batch; `Instant` is a point in time of any clock.
package struct Job<Form: Hashable & Sendable, Instant: InstantProtocol & Sendable>: Sendable
where Instant.Duration == Duration {
    /// What makes a job one of a stream.
    package struct Link: Sendable {
        /// The stream; equal for all its jobs.
        package var stream: UInt64
        /// How long the job may wait to be begun before a later one of the stream supersedes it; nil: for
        /// ever. Such jobs are done one after another: side by side they would all be late.
        package var maxLag: Duration?
        /// Whether the solve needs the result of the stream's job before it.
        package var isSequential: Bool
        /// Whether no job of the stream is to be begun for now; they are superseded and expire all the same. Asked
        /// at every decision, so that an answer is never older than the decision.
        package var isHeld: @Sendable () -> Bool

        /// As given.
        package init(
            stream: UInt64, maxLag: Duration? = nil, isSequential: Bool = false,
            isHeld: @escaping @Sendable () -> Bool = { false }
        ) {
            self.stream = stream
            self.maxLag = maxLag
            self.isSequential = isSequential
            self.isHeld = isHeld
        }
    }

    /// Whose share of the machine it takes.
    package var owner: String
    /// Which evaluations it may share a batch with.
    package var form: Form
    /// Stages before the solve, in order, as far as they are known to be needed.
    package var stages: [Stage]
    /// Rows of one evaluation; 0 for a job without a solve.
    package var rows: Int
    /// Evaluations asked for.
    package var evaluations: Int
    /// How few will do where the job would be late; nil: never fewer.
    package var leastEvaluations: Int?
    /// When it came.
    package var received: Instant
    /// When its result is wanted; it is worth having later.
    package var due: Instant?
    /// When its result is worth nothing any more.
    package var expiry: Instant?
    /// Its stream, if it is one of a stream.
    package var link: Link?

    /// A job as given.
    package init(
        owner: String, form: Form, stages: [Stage], rows: Int, evaluations: Int,
        leastEvaluations: Int? = nil, received: Instant, due: Instant? = nil,
        expiry: Instant? = nil, link: Link? = nil
    ) {
        self.owner = owner
        self.form = form
        self.stages = stages
        self.rows = rows
        self.evaluations = evaluations
        self.leastEvaluations = leastEvaluations
        self.received = received
        self.due = due
        self.expiry = expiry
        self.link = link
    }

    /// When it is late: the earlier of `due` and `expiry`.
    package var target: Instant? {
        guard let due, let expiry else { return due ?? expiry }
        return min(due, expiry)
    }
}
