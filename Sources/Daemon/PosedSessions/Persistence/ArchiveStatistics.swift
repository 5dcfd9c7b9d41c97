/// How writing sessions down goes.
package struct ArchiveStatistics: Hashable, Sendable {
    /// Sessions written so far, each time counted.
    package var saves = 0
    /// Sessions removed so far.
    package var removals = 0
    /// Attempts at either that failed.
    package var failures = 0
    /// Sessions waiting to be written or removed.
    package var pending = 0
    /// Sessions that a restart would not find as they are, because writing or removing them failed.
    package var undone = 0
    /// Files that were set aside because they were damaged.
    package var setAside = 0

    /// Nothing yet.
    package init() {}
}
