extension SessionStore {
    /// Removes what has expired.
    ///
    /// - Returns: when there will be something to do again; nil when there is nothing at all.
    @discardableResult
    package func sweep() -> C.Instant? {
        step { table, now in table.sweep(at: now) }
    }

    /// Removes sessions as they expire, until the task is cancelled. Expired sessions are out of
    /// reach at once; this is what frees their memory without anybody calling. What could not be written down is
    /// tried again.
    ///
    /// - Parameter atMost: the longest time between two looks.
    package func run(lookingEvery atMost: Duration = .seconds(30)) async {
        while !Task.isCancelled {
            let next = sweep()
            archive?.retry()
            await refreshOutdated()
            let latest = clock.now.advanced(by: atMost)
            do {
                try await clock.sleep(until: next.map { min($0, latest) } ?? latest, tolerance: nil)
            } catch {
                return
            }
        }
    }

    /// Takes in the sessions that an earlier process wrote down; for the start of the daemon.
    ///
    /// What cannot be read is set aside and reported; nothing that is found can make this fail.
    ///
    /// - Returns: the number of sessions taken in.
    @discardableResult
    package func restore() async -> Int {
        guard let archive else { return 0 }
        let found = await archive.restore()
        let (refused, count) = step { table, now in
            let before = table.statistics.restored
            let refused = table.adopt(found, at: now)
            return (refused, table.statistics.restored - before)
        }
        for session in refused { archive.report(noRoomFor: session) }
        return count
    }

    /// Writes down every last use, and waits until all is written; for the end of the daemon.
    package func flush() async {
        step { table, now in table.flush(at: now) }
        await archive?.settleAll()
    }
}
