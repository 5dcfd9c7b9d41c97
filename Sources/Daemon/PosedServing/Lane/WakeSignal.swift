import Dispatch
import Synchronization

/// Wakes the one thread that waits for it. Rings that come while it is awake count as one.
final class WakeSignal: Sendable {
    private let hasRung = Atomic(false)
    private let semaphore = DispatchSemaphore(value: 0)

    /// Wakes the waiting thread, or lets its next wait return at once.
    func ring() {
        if !hasRung.exchange(true, ordering: .acquiringAndReleasing) { semaphore.signal() }
    }

    /// Waits for a ring, but no longer than that.
    func wait(atMost duration: Duration) {
        let nanoseconds = max(0, duration / .nanoseconds(1))
        let limit = DispatchTime.now() + .nanoseconds(Int(min(nanoseconds, 1e15)))
        if semaphore.wait(timeout: limit) == .success {
            hasRung.store(false, ordering: .releasing)
        }
    }
}
