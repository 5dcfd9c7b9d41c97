/// What a cache holds, and how it served so far.
package struct CacheStatistics: Hashable, Sendable {
    /// Entries that are ready.
    package var entries = 0
    /// Bytes of the entries, and of what is being computed.
    package var bytes = 0
    /// Bytes that cannot be given up now: in use, or being computed.
    package var pinnedBytes = 0
    /// Requests that found what they wanted.
    package var hits = 0
    /// Requests that waited for what another had computed.
    package var joins = 0
    /// Requests that had it computed.
    package var misses = 0
    /// Computations that failed.
    package var failures = 0
    /// Entries given up for the room they took.
    package var evictions = 0

    /// Nothing yet.
    package init() {}
}
