import DequeModule

/// What is still to be written, and who waits for it; performs nothing.
///
/// Of several changes of one session only the last is written, so the queue is never longer than
/// there are sessions. What failed is tried again after something else succeeded, and when somebody asks.
struct SaveQueue<Settings: SessionSettings>: Sendable {
    typealias Waiter = UInt64

    /// What to do with a session's files.
    enum Work: Sendable {
        case save(Session<Settings>)
        case remove(SessionID)

        var id: SessionID {
            switch self {
            case .save(let session): session.id
            case .remove(let id): id
            }
        }
    }

    private struct Job: Sendable {
        var work: Work
        var waiters: [Waiter] = []
    }

    private var order: Deque<SessionID> = []
    private var jobs: [SessionID: Job] = [:]
    private var running: Job?
    private var waitingForAll: [Waiter] = []
    /// What failed, and in which order.
    private var undone: [SessionID: Work] = [:]
    private var undoneOrder = RecencyList<SessionID>()

    /// The number of sessions that are waiting to be written or removed.
    var count: Int { jobs.count }
    /// The number of sessions that could not be written, or not be removed.
    var undoneCount: Int { undone.count }
    /// Whether there is nothing to do and nothing under way.
    var isIdle: Bool { jobs.isEmpty && running == nil }

    /// Takes note of a change.
    mutating func add(_ work: Work) {
        if jobs[work.id] == nil {
            order.append(work.id)
            jobs[work.id] = Job(work: work)
        } else {
            jobs[work.id]?.work = work
        }
    }

    /// Whether a session is waiting to be written or removed, or is being so.
    func isPending(_ id: SessionID) -> Bool { jobs[id] != nil || running?.work.id == id }

    /// Does not try again what failed for a session.
    mutating func forget(_ id: SessionID) {
        undone[id] = nil
        undoneOrder.remove(id)
    }

    /// Takes the next thing to do; nil when there is none.
    mutating func next() -> Work? {
        guard running == nil, let id = order.popFirst(), let job = jobs.removeValue(forKey: id)
        else { return nil }
        running = job
        return job.work
    }

    /// Ends what ``next()`` gave.
    ///
    /// - Returns: who waited for it.
    mutating func finish(success: Bool) -> [Waiter] {
        guard let job = running else { return [] }
        running = nil
        let id = job.work.id
        if success {
            undone[id] = nil
            undoneOrder.remove(id)
            retry()
        } else {
            undone[id] = job.work
            undoneOrder.use(id)
        }
        guard isIdle else { return job.waiters }
        defer { waitingForAll = [] }
        return job.waiters + waitingForAll
    }

    /// Tries again what failed first. One at a time: its success leads to the next, and its failure
    /// puts it last, so a disk that takes some files and not others is not tried in vain for all.
    mutating func retry() {
        guard let id = undoneOrder.oldest, let work = undone[id] else { return }
        if jobs[id] == nil { add(work) }
    }

    /// Waits for what is known of a session by now; false when there is nothing to wait for.
    mutating func wait(_ waiter: Waiter, for id: SessionID) -> Bool {
        if jobs[id] != nil {
            jobs[id]?.waiters.append(waiter)
            return true
        }
        guard running?.work.id == id else { return false }
        running?.waiters.append(waiter)
        return true
    }

    /// Waits until there is nothing to do; false when that is so already.
    mutating func waitForAll(_ waiter: Waiter) -> Bool {
        guard !isIdle else { return false }
        waitingForAll.append(waiter)
        return true
    }
}

/// An archive's queue, the tasks that wait for parts of it, and how writing goes.
struct SaveProgress<Settings: SessionSettings>: Sendable {
    var queue = SaveQueue<Settings>()
    var counts = ArchiveStatistics()
    fileprivate var continuations: [SaveQueue<Settings>.Waiter: CheckedContinuation<Void, Never>] =
        [:]
    fileprivate var lastWaiter: SaveQueue<Settings>.Waiter = 0
    private var isWorking = false
    /// The failure that was reported last, until something works again.
    private var failing: StorageError.Code?

    /// How writing goes, and how much is left.
    var statistics: ArchiveStatistics {
        var statistics = counts
        statistics.pending = queue.count
        statistics.undone = queue.undoneCount
        return statistics
    }

    /// Whether the caller is to begin to work: there is something to do, and nobody works.
    mutating func begins() -> Bool {
        guard !queue.isIdle, !isWorking else { return false }
        isWorking = true
        return true
    }

    /// Takes the next thing to do; nil where there is none, and the work ends.
    mutating func next() -> SaveQueue<Settings>.Work? {
        let work = queue.next()
        isWorking = work != nil
        return work
    }

    /// Ends what ``next()`` gave; the tasks that waited for it are the caller's to resume.
    mutating func finish(success: Bool) -> [CheckedContinuation<Void, Never>] {
        queue.finish(success: success).compactMap { continuations.removeValue(forKey: $0) }
    }

    /// Counts a failure, or takes note that something worked, with nil. Says whether that is worth a report: the first
    /// failure of a kind, and that nothing is left undone afterwards.
    mutating func isNews(_ failure: StorageError.Code?) -> Bool {
        if failure != nil { counts.failures += 1 }
        guard failing != failure, failure != nil || queue.undoneCount == 0 else { return false }
        failing = failure
        return true
    }
}

/// An archive whose queue tasks wait for.
protocol SavingArchive: AnyObject, Sendable {
    associatedtype Settings: SessionSettings

    /// Runs `body` under the archive's lock.
    func withProgress<Value: Sendable>(_ body: (inout SaveProgress<Settings>) -> Value) -> Value
}

extension SavingArchive {
    /// Waits where there is something to wait for, and no longer than `limit`; a cancelled task stops waiting.
    func wait(
        atMost limit: Duration? = nil,
        _ enter: @Sendable (inout SaveQueue<Settings>, SaveQueue<Settings>.Waiter) -> Bool
    ) async {
        let waiter = withProgress { progress in
            progress.lastWaiter += 1
            return progress.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = withProgress { progress in
                    guard !Task.isCancelled, enter(&progress.queue, waiter) else { return false }
                    progress.continuations[waiter] = continuation
                    return true
                }
                guard waits else { return continuation.resume() }
                guard let limit else { return }
                Task {
                    try? await Task.sleep(for: limit)
                    stopWaiting(waiter)
                }
            }
        } onCancel: {
            stopWaiting(waiter)
        }
    }

    private func stopWaiting(_ waiter: SaveQueue<Settings>.Waiter) {
        withProgress { $0.continuations.removeValue(forKey: waiter) }?.resume()
    }
}
