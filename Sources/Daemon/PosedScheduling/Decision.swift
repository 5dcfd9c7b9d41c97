/// What is to be done next.
package enum Decision<Instant: InstantProtocol & Sendable>: Hashable, Sendable {
    /// A stage of a job.
    case stage(Stage, JobID)
    /// One evaluation of each of these solves, which are of one form, the most urgent first.
    case evaluate([JobID])
    /// Nothing, until a job comes or, at the latest, until then.
    case idle(until: Instant?)
}

/// A job that left the table without a result.
package struct Dropped: Hashable, Sendable {
    /// Why.
    package enum Reason: Hashable, Sendable {
        /// Its result would be worth nothing any more.
        case expired
        /// A later job of its stream had come.
        case superseded(by: JobID)
    }

    /// Which.
    package var id: JobID
    /// Why.
    package var reason: Reason

    /// As given.
    package init(id: JobID, reason: Reason) {
        self.id = id
        self.reason = reason
    }
}
