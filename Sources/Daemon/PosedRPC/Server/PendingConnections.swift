package import PosedAccounts

/// Connections that were accepted and have not shown yet that they speak the protocol: who came when, and
/// who has to go.
///
/// A peer that opens more than its share loses its own oldest one to the newest. A client that speaks at
/// once is therefore served however many silent connections somebody opens.
package struct PendingConnections {
    private struct PendingConnection {
        let key: UInt64
        let caller: Caller
        let deadline: ContinuousClock.Instant
    }

    /// At a time, of all peers.
    private let most: Int
    /// At a time, of one peer.
    private let mostEach: Int
    private let patience: Duration
    /// In the order of their coming, which is that of their deadlines.
    private var list: [PendingConnection] = []
    private var counts: [Caller: Int] = [:]

    /// - Parameter patience: how long one may say nothing.
    package init(most: Int, mostEach: Int, patience: Duration) {
        self.most = most
        self.mostEach = mostEach
        self.patience = patience
    }

    /// How many there are.
    package var count: Int { list.count }

    /// When the first of them has to go; nil where there is none.
    package var deadline: ContinuousClock.Instant? { list.first?.deadline }

    /// Takes one in.
    ///
    /// - Parameter isProxy: whether the peer opens connections for others, and may have any number of them.
    /// - Returns: the one that has to go for it, if any.
    package mutating func add(
        _ key: UInt64, of caller: Caller, isProxy: Bool = false,
        at now: ContinuousClock.Instant = .now
    ) -> UInt64? {
        var leaving: UInt64?
        if !isProxy, counts[caller, default: 0] >= mostEach {
            leaving = list.first { $0.caller == caller }?.key
        } else if list.count >= most {
            leaving = list.first?.key
        }
        if let leaving { remove(leaving) }
        list.append(
            PendingConnection(key: key, caller: caller, deadline: now.advanced(by: patience)))
        counts[caller, default: 0] += 1
        return leaving
    }

    /// One has spoken, or is gone.
    package mutating func remove(_ key: UInt64) {
        guard let index = list.firstIndex(where: { $0.key == key }) else { return }
        let caller = list.remove(at: index).caller
        let left = counts[caller, default: 1] - 1
        counts[caller] = left > 0 ? left : nil
    }

    /// Those whose time is over; they are removed.
    package mutating func expired(at now: ContinuousClock.Instant = .now) -> [UInt64] {
        let late = list.prefix { $0.deadline <= now }.map(\.key)
        for key in late { remove(key) }
        return late
    }
}
