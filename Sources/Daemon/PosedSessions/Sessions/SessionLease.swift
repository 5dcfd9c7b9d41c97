import Synchronization

/// The right to use a session: while it is held, the session neither expires nor is given up.
///
/// It ends once: by the first ``release()``, or when nobody holds it any more.
package final class SessionLease<Settings: SessionSettings>: Sendable {
    /// The session as it was when the lease was taken.
    package let session: Session<Settings>
    private let isHeld = Atomic(true)
    private let giveBack: @Sendable () -> Void
    private let checkRevoked: @Sendable () -> Bool
    private let countFrames: @Sendable (UInt64) -> Void

    init(
        session: Session<Settings>, giveBack: @escaping @Sendable () -> Void,
        checkRevoked: @escaping @Sendable () -> Bool,
        countFrames: @escaping @Sendable (UInt64) -> Void
    ) {
        self.session = session
        self.giveBack = giveBack
        self.checkRevoked = checkRevoked
        self.countFrames = countFrames
    }

    deinit { release() }

    /// Whether the session was deleted meanwhile. What it holds stays good until the release, but a
    /// stream does well to end.
    package var isRevoked: Bool { checkRevoked() }

    /// Counts frames that were made with the session.
    package func count(frames: UInt64) { countFrames(frames) }

    /// Ends the use. A second call does nothing.
    package func release() {
        if isHeld.exchange(false, ordering: .acquiringAndReleasing) { giveBack() }
    }
}
