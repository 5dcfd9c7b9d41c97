import PosedGuarded

/// What a completion says: the closed list of all that can come out of a queue.
enum Completion: Sendable {
    /// A call came, or will come no more.
    case arrival(ArrivalSlot)
    /// The operations of a batch are done.
    case batch(Batch)
    /// A server's shutdown is complete.
    case serverStopped(CoreServer)
    /// A channel's state changed, or the wait for it is over.
    case connectivity(ConnectivityWatch)
}

/// The tags of one queue that are under way.
///
/// The library is given numbers, never addresses: each is issued once and redeemed or revoked once, and
/// one that came twice would find nothing.
final class TagTable: Sendable {
    private struct State {
        var last: UInt = 0
        var completions: [UInt: Completion] = [:]
    }

    private let objectCounts: ObjectCounts
    private let state = Guarded(State())

    init(objectCounts: ObjectCounts) {
        self.objectCounts = objectCounts
    }

    /// A tag to hand to the library. It keeps what it stands for until it comes back.
    func issue(_ completion: Completion) -> UnsafeMutableRawPointer? {
        objectCounts.change(.tags, by: 1)
        let number = state.withLock { state in
            state.last += 1
            state.completions[state.last] = completion
            return state.last
        }
        return UnsafeMutableRawPointer(bitPattern: number)
    }

    /// What the tag stands for. It is spent; nil if it was spent before.
    func redeem(_ tag: UnsafeMutableRawPointer?) -> Completion? {
        let number = UInt(bitPattern: tag)
        let completion = state.withLock { $0.completions.removeValue(forKey: number) }
        if completion != nil { objectCounts.change(.tags, by: -1) }
        return completion
    }

    /// Takes back a tag that the library refused.
    func revoke(_ tag: UnsafeMutableRawPointer?) {
        _ = redeem(tag)
    }
}
