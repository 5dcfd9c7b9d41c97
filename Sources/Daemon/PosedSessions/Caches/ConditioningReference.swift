import Synchronization

/// A source's conditioning in use: while it is held, the cache does not give it up.
///
/// The use ends once: by the first ``release()``, or when nobody holds the reference any more. Do not
/// use the payload after a release, nor keep the reference: the cache no longer counts its bytes.
package final class ConditioningReference<Payload: Sendable>: Sendable {
    /// Where the payload came from.
    package enum Origin: String, Hashable, Sendable, CaseIterable {
        /// The cache had it.
        case kept
        /// Another request had it computed at the same time.
        case joined
        /// This request had it computed.
        case computed
    }

    /// The payload's key.
    package let key: ContentKey
    /// The conditioning.
    package let payload: Payload
    /// Bytes that it takes.
    package let byteCount: Int
    /// Where it came from.
    package let origin: Origin
    private let isHeld = Atomic(true)
    private let giveBack: @Sendable () -> Void

    init(
        key: ContentKey, payload: Payload, byteCount: Int, origin: Origin,
        giveBack: @escaping @Sendable () -> Void
    ) {
        self.key = key
        self.payload = payload
        self.byteCount = byteCount
        self.origin = origin
        self.giveBack = giveBack
    }

    deinit { release() }

    /// Ends the use. A second call does nothing.
    package func release() {
        if isHeld.exchange(false, ordering: .acquiringAndReleasing) { giveBack() }
    }
}
