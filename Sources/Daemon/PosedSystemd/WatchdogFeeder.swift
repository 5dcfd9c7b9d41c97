/// Decides when the watchdog is fed: only when the work that it guards has moved since the last look.
///
/// The work counts its rounds; an idle worker goes round when it is nudged. The feeder never feeds because
/// time has passed: it compares two counts. A worker that stands still for longer than the watchdog's
/// interval therefore has its service killed and started anew, however alive the rest of the process is.
package struct WatchdogFeeder: Hashable, Sendable {
    /// What to do after a look.
    package enum Action: Hashable, Sendable {
        /// The work has moved: feed the watchdog.
        case feed
        /// The work stands still: say nothing. `looks` counts the looks since it last moved.
        case withhold(looks: Int)
    }

    private var lastCount: UInt64
    private var looksWithoutProgress = 0

    /// A feeder that has seen the work at `count` rounds.
    package init(count: UInt64) {
        lastCount = count
    }

    /// Looks at the work, which has gone `count` rounds by now.
    package mutating func look(count: UInt64) -> Action {
        guard count != lastCount else {
            looksWithoutProgress += 1
            return .withhold(looks: looksWithoutProgress)
        }
        lastCount = count
        looksWithoutProgress = 0
        return .feed
    }
}
