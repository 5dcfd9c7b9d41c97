/// How much the scheduler takes on.
package struct SchedulerLimits: Hashable, Sendable {
    /// Rows of a batch of evaluations at most.
    package var batchRows = 16
    /// Solves in progress at most; each holds memory of the device.
    package var solves = 32
    /// Jobs that no work was begun for, of all owners.
    package var queued = 256
    /// The same of one owner.
    package var queuedPerOwner = 64
    /// The same of one stream that supersedes; one more supersedes the oldest at once.
    package var queuedPerStream = 8
    /// How far, in time of the machine, an owner may be ahead of the one that is least served before its
    /// deadlines no longer let it pass the others.
    package var allowance = Duration.seconds(1)

    /// The defaults.
    package init() {}
}

/// Why a job was not taken.
package enum Refusal: Error, Hashable, Sendable {
    /// As many jobs wait as may.
    case queueFull(limit: Int)
    /// As many jobs of this owner wait as may.
    case ownerFull(limit: Int)
    /// No new work is taken any more.
    case closed
}
