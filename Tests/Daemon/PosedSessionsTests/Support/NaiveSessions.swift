import PosedSessions

/// The sessions as somebody would keep them who has time: plain lists, and every question answered
/// by looking at all of them. What ``SessionTable`` must agree with.
struct NaiveSessions {
    struct Item: Equatable {
        let id: SessionID
        let owner: String
        let bytes: Int
        var timeToLive: Duration
        var used: Duration
        /// Breaks ties of `used`: later uses have greater numbers.
        var order: Int
        var leases: [UInt64] = []
    }

    var limits: SessionLimits
    var items: [Item] = []
    /// Deleted, and still in use.
    var ghosts: [Item] = []
    var uses = 0

    func visible(_ owner: String, at now: Duration) -> [Item] {
        items.filter { $0.owner == owner && !isExpired($0, now) }
    }

    func isExpired(_ item: Item, _ now: Duration) -> Bool {
        item.leases.isEmpty && now - item.used >= item.timeToLive
    }

    mutating func dropExpired(at now: Duration) {
        items = items.filter { !isExpired($0, now) }
    }

    /// Whether there is room; makes it where it can.
    mutating func create(
        _ id: SessionID, _ owner: String, bytes: Int, timeToLive: Duration, at now: Duration
    ) -> Bool {
        dropExpired(at: now)
        var left = items
        func fits(_ items: [Item], _ held: [Item], _ count: Int, _ byteLimit: Int) -> Bool {
            items.count < count
                && (items + held).reduce(0) { $0 + $1.bytes } + bytes <= byteLimit
        }
        func isMine(_ item: Item) -> Bool { item.owner == owner }
        func mineFit() -> Bool {
            fits(
                left.filter(isMine), ghosts.filter(isMine), limits.sessionsPerOwner,
                limits.bytesPerOwner)
        }
        func candidates(_ all: Bool) -> [Item] {
            left.filter {
                $0.leases.isEmpty && now - $0.used >= limits.evictableAfter && (all || isMine($0))
            }
        }
        let owners = Set((items + ghosts).map(\.owner) + [owner]).count
        /// Whether somebody has more than an equal share; whoever asks for room may give up its own.
        func hasMuch(_ other: String) -> Bool {
            let (theirs, held) = (
                left.filter { $0.owner == other }, ghosts.filter { $0.owner == other }
            )
            return other == owner || theirs.count * owners > limits.sessions
                || (theirs + held).reduce(0) { $0 + $1.bytes } > limits.bytes / owners
        }
        while !mineFit() {
            guard let victim = candidates(false).min(by: { $0.order < $1.order }) else {
                return false
            }
            left.removeAll { $0.id == victim.id }
        }
        while !fits(left, ghosts, limits.sessions, limits.bytes) {
            let victim = candidates(true).filter { hasMuch($0.owner) }
                .min { $0.order < $1.order }
            guard let victim else { return false }
            left.removeAll { $0.id == victim.id }
        }
        uses += 1
        items =
            left + [
                Item(
                    id: id, owner: owner, bytes: bytes, timeToLive: timeToLive, used: now,
                    order: uses)
            ]
        return true
    }

    mutating func find(_ id: SessionID, _ owner: String, at now: Duration) -> Int? {
        dropExpired(at: now)
        return items.firstIndex { $0.id == id && $0.owner == owner }
    }

    mutating func use(_ index: Int, at now: Duration) {
        uses += 1
        items[index].used = now
        items[index].order = uses
    }

    mutating func delete(_ index: Int) {
        let item = items.remove(at: index)
        if !item.leases.isEmpty { ghosts.append(item) }
    }

    mutating func release(_ lease: UInt64, at now: Duration) -> Bool {
        if let index = items.firstIndex(where: { $0.leases.contains(lease) }) {
            items[index].leases.removeAll { $0 == lease }
            use(index, at: now)
            return true
        }
        guard let index = ghosts.firstIndex(where: { $0.leases.contains(lease) })
        else { return false }
        ghosts[index].leases.removeAll { $0 == lease }
        if ghosts[index].leases.isEmpty { ghosts.remove(at: index) }
        return true
    }

    var bytes: Int { (items + ghosts).reduce(0) { $0 + $1.bytes } }
}
