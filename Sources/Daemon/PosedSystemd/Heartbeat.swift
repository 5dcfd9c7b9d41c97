internal import Synchronization

/// The pulse of a worker: a count of its rounds, raised by the worker's own thread and read by anyone.
///
/// The worker calls ``beat()`` once a round, between two pieces of work and whenever it wakes to find none.
package final class Heartbeat: Sendable {
    private let rounds = Atomic<UInt64>(0)

    /// A pulse that has not beaten.
    package init() {}

    /// One more round. Costs one atomic addition.
    package func beat() {
        rounds.wrappingAdd(1, ordering: .relaxed)
    }

    /// The rounds so far.
    package var count: UInt64 { rounds.load(ordering: .relaxed) }
}
