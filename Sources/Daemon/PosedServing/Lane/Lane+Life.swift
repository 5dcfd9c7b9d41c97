import Foundation
import PosedErrors
import PosedGuarded
import PosedScheduling

extension Lane {
    /// The stack of the lane's thread, in bytes.
    private static let stackSize = 16 << 20
    /// The lane's thread wakes at least so often, to show that it is alive.
    private static let longestWait = Duration.seconds(1)

    /// Starts the thread: it makes its executor, and then takes steps until `stop`.
    ///
    /// - Parameter prepare: makes the executor, on the thread; may use it, and tell costs.
    /// - Throws: what `prepare` throws; the thread has ended then.
    package func start(
        _ prepare: @escaping @Sendable (Lane) throws -> any LaneExecutor
    ) async throws {
        try await withCheckedThrowingContinuation { (ready: CheckedContinuation<Void, any Error>) in
            let thread = Thread { [self] in
                let worker: LaneWorker
                do {
                    worker = LaneWorker(self, try prepare(self))
                } catch {
                    ready.resume(throwing: error)
                    return
                }
                ready.resume()
                run(worker)
            }
            thread.stackSize = Self.stackSize
            thread.name = "posed.lane"
            thread.start()
        }
    }

    /// Ends the thread after the step it is in. Whoever still waits is told that the daemon is gone.
    package func stop() {
        let left = state.withLock { state in
            state.isStopped = true
            return state.jobs.keys.compactMap { state.take($0) }
        }
        wakeSignal.ring()
        for job in left { report(job, .failed(.stopped)) }
    }

    private func run(_ worker: LaneWorker) {
        while !state.withLock({ $0.isStopped }) {
            if let wait = worker.step() { wakeSignal.wait(atMost: min(wait, Self.longestWait)) }
        }
        worker.releaseAll()
    }
}

extension RequestError {
    /// There is no lane any more.
    static let stopped = RequestError(.unavailable, "the daemon is stopping and takes no work")
}
