import PosedGuarded

/// Counts what of the library's is alive: after a shutdown everything must read zero.
package final class ObjectCounts: Sendable {
    /// What is counted.
    package enum Item: Int, Sendable, CaseIterable {
        case queues
        case servers
        case channels
        case calls
        case tags
        case batches
        case messages
        case credentials
        case connections
        case descriptors
    }

    /// The counts at one moment.
    package struct Snapshot: Sendable, Hashable, CustomStringConvertible {
        fileprivate var counts = [Int](repeating: 0, count: Item.allCases.count)

        /// How many of `item` are alive.
        package subscript(item: Item) -> Int { counts[item.rawValue] }

        /// Whether nothing is alive.
        package var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }

        /// What is alive, "calls 2, tags 3", or "nothing".
        package var description: String {
            let alive = Item.allCases.filter { self[$0] != 0 }.map { "\($0) \(self[$0])" }
            return alive.isEmpty ? "nothing" : alive.joined(separator: ", ")
        }
    }

    /// One counted thing; it counts for as long as it lives.
    struct Entry: ~Copyable, Sendable {
        private let objectCounts: ObjectCounts
        private let item: Item

        init(_ item: Item, in objectCounts: ObjectCounts) {
            self.objectCounts = objectCounts
            self.item = item
            objectCounts.change(item, by: 1)
        }

        deinit {
            objectCounts.change(item, by: -1)
        }
    }

    private struct State {
        var snapshot = Snapshot()
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// The counts of everything that is not given counts of its own.
    package static let shared = ObjectCounts()

    private let state = Guarded(State())

    package init() {}

    /// The counts now.
    package func snapshot() -> Snapshot {
        state.withLock { $0.snapshot }
    }

    /// Returns when nothing is alive: the library lets go of the last things in its own time.
    package func settled() async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if !state.snapshot.isEmpty { state.waiting.append(continuation) }
                return state.snapshot.isEmpty
            }
            if now { continuation.resume() }
        }
    }

    /// Counts `difference` more of `item`.
    func change(_ item: Item, by difference: Int) {
        let settled: [CheckedContinuation<Void, Never>] = state.withLock { state in
            state.snapshot.counts[item.rawValue] += difference
            guard state.snapshot.isEmpty else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in settled { continuation.resume() }
    }
}
