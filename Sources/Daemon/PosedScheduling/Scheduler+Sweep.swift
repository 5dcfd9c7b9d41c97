import OrderedCollections

extension Scheduler {
    /// Takes out what has expired and what later jobs of its stream supersede.
    mutating func sweep(now: Instant) -> [Dropped] {
        var dropped: [Dropped] = []
        let latest = latestOfStreams()
        for (id, entry) in entries {
            if let expiry = entry.job.expiry, expiry <= now {
                dropped.append(Dropped(id: id, reason: .expired))
            } else if let later = successor(of: id, entry, latest),
                let moment = lagEnd(entry), moment <= now
            {
                dropped.append(Dropped(id: id, reason: .superseded(by: later)))
            }
        }
        for drop in dropped { remove(drop.id) }
        return dropped
    }

    /// When something happens by itself next: a job expires or may be superseded.
    func wakeUp() -> Instant? {
        let latest = latestOfStreams()
        return entries.compactMap { id, entry in
            let lag = successor(of: id, entry, latest) == nil ? nil : lagEnd(entry)
            return [entry.job.expiry, lag].compactMap(\.self).min()
        }.min()
    }

    /// The newest job of each stream.
    private func latestOfStreams() -> [UInt64: JobID] {
        var latest: [UInt64: JobID] = [:]
        for (id, entry) in entries {
            if let stream = entry.job.link?.stream { latest[stream] = id }
        }
        return latest
    }

    /// The newest job of the stream, if this one is not begun and not the newest itself.
    private func successor(of id: JobID, _ entry: Entry, _ latest: [UInt64: JobID]) -> JobID? {
        guard !entry.hasBegun, let stream = entry.job.link?.stream, let newest = latest[stream],
            newest != id
        else { return nil }
        return newest
    }

    /// When a job has waited for as long as it may.
    private func lagEnd(_ entry: Entry) -> Instant? {
        entry.job.link?.maxLag.map { entry.job.received.advanced(by: $0) }
    }
}
