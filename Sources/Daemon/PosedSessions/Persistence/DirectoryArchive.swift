import Dispatch
import PosedGuarded

/// Keeps sessions in a state directory, on a thread of its own.
///
/// What goes wrong is reported and goes no further: a session that cannot be written lives in memory
/// alone, and is written as soon as writing works again.
package final class DirectoryArchive<Settings: SessionSettings>: SessionArchive, SavingArchive {
    /// Is told what an operator should know; called on the archive's thread, or the store's caller's.
    package typealias Reporter = @Sendable (ArchiveReport) -> Void

    private let thread = DispatchQueue(label: "posed.archive")
    /// Used on the thread alone; the lock says so to the compiler.
    private let vault: Guarded<SessionVault<Settings>>
    private let progress = Guarded(SaveProgress<Settings>())
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
    package var statistics: ArchiveStatistics { progress.withLock { $0.statistics } }

    func withProgress<Value: Sendable>(_ body: (inout SaveProgress<Settings>) -> Value) -> Value {
        progress.withLock { body(&$0) }
    }

    package func perform(_ actions: [SessionAction<Settings>]) {
        begin { progress in
            for action in actions {
                switch action {
                case .save(let session): progress.queue.add(.save(session))
                case .remove(let session, _): progress.queue.add(.remove(session.id))
                }
            }
        }
    }

    package func retry() { begin { $0.queue.retry() } }

    /// Changes the queue, and has the thread work where it does not.
    private func begin(_ change: (inout SaveProgress<Settings>) -> Void) {
        let begins = progress.withLock { progress in
            change(&progress)
            return progress.begins()
        }
        if begins { thread.async { self.work() } }
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
        progress.withLock { $0.counts.setAside += found.setAside }
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

    /// Does all that there is to do; on the thread.
    private func work() {
        while let work = progress.withLock({ $0.next() }) {
            let failure = perform(work)
            let (report, continuations) = progress.withLock { progress in
                let waiters = progress.finish(success: failure == nil)
                return (Self.note(failure, of: work, in: &progress), waiters)
            }
            if let report { onReport(report) }
            for continuation in continuations { continuation.resume() }
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

    /// Counts, and says what is worth a report.
    private static func note(
        _ failure: StorageError?, of work: SaveQueue<Settings>.Work,
        in progress: inout SaveProgress<Settings>
    ) -> ArchiveReport? {
        guard let failure else {
            switch work {
            case .save: progress.counts.saves += 1
            case .remove: progress.counts.removals += 1
            }
            guard progress.isNews(nil) else { return nil }
            return ArchiveReport(
                notice: "the state directory can be written again, and nothing is missing there")
        }
        guard progress.isNews(failure.code) else { return nil }
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
