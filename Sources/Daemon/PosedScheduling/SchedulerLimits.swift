/// How much the scheduler takes on.
package struct SchedulerLimits: Hashable, Sendable {
    /// Rows of a batch of evaluations at most.
    package var batchRows = 16
    /// Rows from which on a wider batch gets through hardly more rows a second. Frames of one stream share batches of
    /// so many rows: beyond, company would only make them come in bursts.
    package var economicalRows = Int.max
    /// Solves in progress at most; each holds memory of the device.
    package var solves = 32
    /// How long a batch of evaluations may be predicted to take; one solve is evaluated alone, however long.
    package var stepTime = Duration.seconds(10)
    /// Jobs that no work was begun for, of one stream that supersedes; one more supersedes the oldest at once.
    package var queuedPerStream = 8
    /// How far, in time of the machine, an owner may be ahead of the one that is least served before its
    /// deadlines no longer let it pass the others.
    package var allowance = Duration.seconds(1)

    /// The defaults.
    package init() {}
}
