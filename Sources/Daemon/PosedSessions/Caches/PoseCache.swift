import PosedGuarded

/// Encoded poses by content, for poses that come again. What it gives out stays good while it is
/// held, in the cache or not.
package final class PoseCache<Pose: Sendable>: Sendable {
    private let cache: Guarded<RecencyCache<ContentKey, Pose>>
    private let byteCount: @Sendable (Pose) -> Int

    /// An empty cache.
    ///
    /// - Parameters:
    ///   - byteLimit: the most bytes of all poses together; 0 keeps nothing.
    ///   - byteCount: the bytes that a pose takes.
    package init(byteLimit: Int, byteCount: @escaping @Sendable (Pose) -> Int) {
        cache = Guarded(RecencyCache(byteLimit: byteLimit))
        self.byteCount = byteCount
    }

    /// The encoded pose of a key, if it is kept.
    package func pose(for key: ContentKey) -> Pose? {
        cache.withLock { $0.value(for: key) }
    }

    /// Keeps an encoded pose, unless it alone is larger than the limit.
    package func insert(_ pose: Pose, for key: ContentKey) {
        let bytes = byteCount(pose)
        // What goes is destroyed here, behind the lock: freeing device memory may take time.
        _ = cache.withLock { $0.insert(pose, bytes: bytes, for: key) }
    }

    /// Gives up poses until at most so many bytes are left.
    package func trim(toBytes bytes: Int) {
        _ = cache.withLock { $0.shrink(to: bytes) }
    }

    /// The most bytes that are kept.
    package var byteLimit: Int {
        get { cache.withLock { $0.byteLimit } }
        set { _ = cache.withLock { $0.limit(toBytes: newValue) } }
    }

    /// What the cache holds, and how it served.
    package var statistics: CacheStatistics { cache.withLock { $0.statistics } }
}
