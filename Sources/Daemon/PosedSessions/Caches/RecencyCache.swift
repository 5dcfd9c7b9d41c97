/// Values by key, as many as fit into a number of bytes; those unused for longest go first.
package struct RecencyCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let bytes: Int
    }

    /// The most bytes.
    package private(set) var byteLimit: Int
    private var entries: [Key: Entry] = [:]
    private var order = RecencyList<Key>()
    private var counts = CacheStatistics()

    /// An empty cache; with a limit of 0 it stays empty.
    package init(byteLimit: Int) { self.byteLimit = max(0, byteLimit) }

    /// What the cache holds, and how it served.
    package var statistics: CacheStatistics {
        var statistics = counts
        statistics.entries = entries.count
        return statistics
    }

    /// The value of a key, which counts as its use.
    package mutating func value(for key: Key) -> Value? {
        guard let entry = entries[key] else {
            counts.misses += 1
            return nil
        }
        counts.hits += 1
        order.use(key)
        return entry.value
    }

    /// Keeps a value, unless it alone is larger than the limit.
    ///
    /// - Returns: what went for it: a value that this key had before, and those that had to make
    ///   room. The caller drops them where that takes no lock's time.
    package mutating func insert(_ value: Value, bytes: Int, for key: Key) -> [Value] {
        var dropped = drop(key)
        guard bytes >= 0, bytes <= byteLimit else { return dropped }
        dropped += shrink(to: byteLimit - bytes)
        entries[key] = Entry(value: value, bytes: bytes)
        order.use(key)
        counts.bytes += bytes
        return dropped
    }

    /// Gives up values until at most so many bytes are left; returns them.
    package mutating func shrink(to bytes: Int) -> [Value] {
        var dropped: [Value] = []
        while counts.bytes > max(0, bytes), let oldest = order.oldest {
            dropped += drop(oldest)
            counts.evictions += 1
        }
        return dropped
    }

    /// Changes the limit; returns what no longer fits.
    package mutating func limit(toBytes limit: Int) -> [Value] {
        byteLimit = max(0, limit)
        return shrink(to: byteLimit)
    }

    private mutating func drop(_ key: Key) -> [Value] {
        guard let entry = entries.removeValue(forKey: key) else { return [] }
        order.remove(key)
        counts.bytes -= entry.bytes
        return [entry.value]
    }
}
