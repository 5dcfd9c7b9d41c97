import Dispatch
import PosedGuarded

/// Keeps sessions in a state directory, on a thread of its own.
///
/// What goes wrong is reported and goes no further: a session that cannot be written lives in memory
/// alone, and is written as soon as writing works again.
package final class DirectoryArchive<Settings: SessionSettings>: SessionArchive {
    /// Is told what an operator should know; called on the archive's thread, or the store's caller's.
    package typealias Reporter = @Sendable (ArchiveReport) -> Void

    private struct State {
        var queue = SaveQueue<Settings>()
        var continuations: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
        var isWorking = false
        /// The failure that was reported last, until something works again.
        var failing: StorageError.Code?
        var counts = ArchiveStatistics()
    }

    private let thread = DispatchQueue(label: "posed.archive")
    /// Used on the thread alone; the lock says so to the compiler.
    private let vault: Guarded<SessionVault<Settings>>
    private let state = Guarded(State())
    private let onReport: Reporter

    /// An archive in a directory.
    ///
    /// - Parameters:
    ///   - files: the directory, or what stands for it in a test.
    ///   - fingerprint: what tells this model from others; nil where that is not known yet.
    ///   - onReport: is told what an operator should know.
    package init(
        _ files: any StateFiles, fingerprint: ContentKey? = nil, onReport: @escaping Reporter
    ) {
        vault = Guarded(SessionVault(files, fingerprint: fingerprint ?? .anyModel))
        self.onReport = onReport
    }

    /// How writing goes.
    package var statistics: ArchiveStatistics {
        state.withLock { state in
            var statistics = state.counts
            statistics.pending = state.queue.count
            statistics.undone = state.queue.undoneCount
            return statistics
        }
    }

    package func perform(_ actions: [SessionAction<Settings>]) {
        guard !actions.isEmpty else { return }
        let starts = state.withLock { state in
            for action in actions {
                switch action {
                case .save(let session): state.queue.add(.save(session))
                case .remove(let session, _): state.queue.add(.remove(session.id))
                }
            }
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if starts { thread.async { self.work() } }
    }

    package func retry() {
        let starts = state.withLock { state in
            state.queue.retry()
            guard !state.queue.isIdle, !state.isWorking else { return false }
            state.isWorking = true
            return true
        }
        if starts { thread.async { self.work() } }
    }

    /// Says which model sessions are kept with from now on: those of another are reported when they are restored.
    package func identify(_ fingerprint: ContentKey) {
        vault.withLock { $0.fingerprint = fingerprint }
    }

    package func settle(_ id: SessionID) async {
        await wait { queue, waiter in queue.wait(waiter, for: id) }
    }

    package func settleAll() async {
        await wait { queue, waiter in queue.waitForAll(waiter) }
        // The thread may still be leaving what it did last. Whoever waited for all wants to be free to let go of the
        // directory and open it again, so nothing of it may be held there.
        await withCheckedContinuation { continuation in
            thread.async { continuation.resume() }
        }
    }

    package func restore() async -> [Session<Settings>] {
        let found = await withCheckedContinuation { continuation in
            thread.async {
                continuation.resume(returning: self.vault.withLock { $0.restore() })
            }
        }
        state.withLock { $0.counts.setAside += found.setAside }
        for report in found.reports { onReport(report) }
        return found.sessions
    }

    package func report(noRoomFor session: Session<Settings>) {
        onReport(
            ArchiveReport(
                .limitReached,
                "\(session.id.name): is not restored, as the limits of sessions leave no room for "
                    + "it; its files stay", session: session.id))
    }

    /// Waits where there is something to wait for; a cancelled task stops waiting.
    private func wait(
        _ enter: @Sendable (inout SaveQueue<Settings>, UInt64) -> Bool
    ) async {
        let waiter = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !Task.isCancelled, enter(&state.queue, waiter) else { return false }
                    state.continuations[waiter] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.continuations.removeValue(forKey: waiter) }?.resume()
        }
    }

    /// Does all that there is to do; on the thread.
    private func work() {
        while let work = nextWork() {
            let failure = perform(work)
            let (report, continuations) = state.withLock { state in
                let waiters = state.queue.finish(success: failure == nil)
                let report = Self.note(failure, of: work, in: &state)
                return (report, waiters.compactMap { state.continuations.removeValue(forKey: $0) })
            }
            if let report { onReport(report) }
            for continuation in continuations { continuation.resume() }
        }
    }

    private func nextWork() -> SaveQueue<Settings>.Work? {
        state.withLock { state in
            let work = state.queue.next()
            state.isWorking = work != nil
            return work
        }
    }

    private func perform(_ work: SaveQueue<Settings>.Work) -> StorageError? {
        vault.withLock { vault in
            do throws(StorageError) {
                switch work {
                case .save(let session): try vault.save(session)
                case .remove(let id): try vault.remove(id)
                }
                return nil
            } catch {
                return error
            }
        }
    }

    /// Counts, and says what is worth a report: the first failure of a kind, and its end.
    private static func note(
        _ failure: StorageError?, of work: SaveQueue<Settings>.Work, in state: inout State
    ) -> ArchiveReport? {
        guard let failure else {
            switch work {
            case .save: state.counts.saves += 1
            case .remove: state.counts.removals += 1
            }
            guard state.failing != nil, state.queue.undoneCount == 0 else { return nil }
            state.failing = nil
            return ArchiveReport(
                notice: "the state directory can be written again, and nothing is missing there")
        }
        state.counts.failures += 1
        guard state.failing != failure.code else { return nil }
        state.failing = failure.code
        let name = work.id.name
        let sentence =
            switch work {
            case .save: "\(name): cannot be written, and lives in memory alone"
            case .remove: "\(name): has ended, but may come back after a restart"
            }
        return ArchiveReport(
            failure.code,
            "\(sentence), as may others until writing works again: \(failure.message)",
            session: work.id)
    }
}
