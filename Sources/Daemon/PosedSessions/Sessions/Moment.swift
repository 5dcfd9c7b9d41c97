package import PosedBase

/// One moment on both clocks: the one that never jumps, and the one that people read.
package struct Moment<Instant: InstantProtocol>: Sendable, Hashable
where Instant.Duration == Duration {
    /// On the clock that measures idle time.
    package let instant: Instant
    /// On the clock that is shown and written down.
    package let wall: WallTime

    /// A moment.
    package init(instant: Instant, wall: WallTime) {
        self.instant = instant
        self.wall = wall
    }
}
