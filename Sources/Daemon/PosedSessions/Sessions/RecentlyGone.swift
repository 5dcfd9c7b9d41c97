import PosedBase

/// The sessions that ended last, so that their own client is told why instead of "not found" alone.
struct RecentlyGone: Sendable {
    struct Grave: Sendable {
        let owner: String
        let reason: RemovalReason
        let at: WallTime
    }

    private let capacity: Int
    private var graves: [SessionID: Grave] = [:]
    private var order: [SessionID] = []
    private var next = 0

    init(capacity: Int) { self.capacity = capacity }

    /// Remembers a session, and forgets the one that is remembered longest.
    mutating func add(_ id: SessionID, owner: String, reason: RemovalReason, at time: WallTime) {
        guard capacity > 0,
            graves.updateValue(Grave(owner: owner, reason: reason, at: time), forKey: id) == nil
        else { return }
        if order.count < capacity {
            order.append(id)
        } else {
            graves[order[next]] = nil
            order[next] = id
            next = (next + 1) % capacity
        }
    }

    /// What became of a session, for its own identity.
    subscript(id: SessionID, owner: String) -> Grave? {
        graves[id].flatMap { $0.owner == owner ? $0 : nil }
    }
}
