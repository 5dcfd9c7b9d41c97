import PosedErrors
import PosedSessions
import Testing

@Suite struct ConditioningTableTests {
    typealias Table = ConditioningTable<String>

    struct Failure: Error, Equatable {}

    static func key(_ name: String) -> ContentKey {
        var hasher = ContentHasher(kind: "test")
        hasher.combine("name", name)
        return hasher.key()
    }

    /// Puts an entry without pins in the table.
    private func fill(_ table: inout Table, _ name: String, bytes: Int, waiter: UInt64) throws {
        guard
            case .compute(let flight) = try table.request(
                Self.key(name), bytes: bytes, waiter: waiter)
        else { return }
        _ = table.finish(flight, with: .success((name, bytes)))
        table.release(waiter)
    }

    @Test func oneComputationServesAll() throws {
        var table = Table(byteLimit: 100)
        guard case .compute(let flight) = try table.request(Self.key("a"), bytes: 40, waiter: 1),
            case .join = try table.request(Self.key("a"), bytes: 40, waiter: 2)
        else {
            Issue.record("the second request did not join the first")
            return
        }
        #expect(table.statistics.bytes == 40 && table.statistics.pinnedBytes == 40)
        let deliveries = table.finish(flight, with: .success(("A", 50)))
        #expect(deliveries.map(\.waiter) == [1, 2])
        #expect(try deliveries.map { try $0.result.get().payload } == ["A", "A"])
        #expect(try deliveries.map { try $0.result.get().isFirst } == [true, false])
        #expect(table.statistics.bytes == 50, "what is shared counts once, as it turned out")
        guard case .ready("A", bytes: 50) = try table.request(Self.key("a"), bytes: 40, waiter: 3)
        else {
            Issue.record("what was computed is not there")
            return
        }
        #expect(table.statistics.hits == 1)
        #expect(table.statistics.joins == 1)
        #expect(table.statistics.misses == 1)
        let releases = [1, 2, 3, 3, 2, 9].map { table.release($0) }
        #expect(releases == [true, true, true, false, false, false])
        #expect(table.statistics.pinnedBytes == 0 && table.statistics.bytes == 50)
    }

    @Test func aFailureReachesAllAndTheNextTriesAgain() throws {
        var table = Table(byteLimit: 100)
        guard case .compute(let flight) = try table.request(Self.key("a"), bytes: 40, waiter: 1)
        else { return }
        _ = try table.request(Self.key("a"), bytes: 40, waiter: 2)
        let deliveries = table.finish(flight, with: .failure(Failure()))
        #expect(deliveries.count == 2)
        for delivery in deliveries {
            #expect(throws: Failure.self) { try delivery.result.get() }
        }
        #expect(table.statistics.bytes == 0 && table.statistics.failures == 1)
        guard case .compute = try table.request(Self.key("a"), bytes: 40, waiter: 3) else {
            Issue.record("a failure must not stick")
            return
        }
    }

    @Test func roomIsMadeBeforeTheComputation() throws {
        var table = Table(byteLimit: 100)
        try fill(&table, "a", bytes: 40, waiter: 1)
        try fill(&table, "b", bytes: 40, waiter: 2)
        _ = try table.request(Self.key("a"), bytes: 40, waiter: 3)
        guard case .compute = try table.request(Self.key("c"), bytes: 60, waiter: 4) else { return }
        #expect(table.takeDropped() == ["b"])
        #expect(table.statistics.bytes == 100 && table.statistics.pinnedBytes == 100)
        let limit = #expect(throws: RequestError.self) {
            try table.request(Self.key("d"), bytes: 1, waiter: 5)
        }
        #expect(
            limit?.quota == [
                RequestError.QuotaViolation(
                    subject: "daemon",
                    description:
                        "the conditioning of sources takes at most 100 bytes, of which 100 are "
                        + "in use, so 1 more do not fit")
            ])
        #expect(table.takeDropped().isEmpty)
    }

    @Test func aRefusalGivesNothingUp() throws {
        var table = Table(byteLimit: 100)
        try fill(&table, "a", bytes: 40, waiter: 1)
        try fill(&table, "b", bytes: 40, waiter: 2)
        _ = try table.request(Self.key("a"), bytes: 40, waiter: 3)
        #expect(throws: RequestError.self) {
            try table.request(Self.key("c"), bytes: 61, waiter: 4)
        }
        #expect(table.contains(Self.key("b")))
        #expect(throws: RequestError.self) {
            try table.request(Self.key("c"), bytes: .max, waiter: 4)
        }
    }

    @Test func whatNoSessionKeepsGoesFirst() throws {
        var table = Table(byteLimit: 100)
        for (index, name) in ["a", "b", "c", "d"].enumerated() {
            try fill(&table, name, bytes: 25, waiter: UInt64(index))
        }
        table.addKeeper(of: Self.key("a"))
        table.addKeeper(of: Self.key("c"))
        table.addKeeper(of: Self.key("c"))
        table.shrink(to: 50)
        #expect(table.takeDropped() == ["b", "d"])
        // One of two keepers gone: still kept. The last one gone: the first to go.
        table.removeKeeper(of: Self.key("c"))
        table.removeKeeper(of: Self.key("a"))
        table.removeKeeper(of: Self.key("a"))
        table.shrink(to: 25)
        #expect(table.takeDropped() == ["a"])
        table.shrink(to: 0)
        #expect(table.takeDropped() == ["c"])
        // A keeper may come before the entry.
        table.addKeeper(of: Self.key("e"))
        try fill(&table, "e", bytes: 25, waiter: 10)
        try fill(&table, "f", bytes: 25, waiter: 11)
        table.shrink(to: 25)
        #expect(table.takeDropped() == ["f"])
    }

    @Test func payloadsLargerThanExpectedGoWhenTheyCan() throws {
        var table = Table(byteLimit: 100)
        try fill(&table, "old", bytes: 50, waiter: 1)
        guard case .compute(let flight) = try table.request(Self.key("a"), bytes: 10, waiter: 2)
        else { return }
        _ = table.finish(flight, with: .success(("A", 120)))
        #expect(table.takeDropped() == ["old"])
        #expect(table.statistics.bytes == 120)
        #expect(table.contains(Self.key("a")), "it is in use")
        table.release(2)
        #expect(table.takeDropped() == ["A"])
        #expect(table.statistics.bytes == 0)
    }

    @Test func aLowerLimitTakesEffectAtOnce() throws {
        var table = Table(byteLimit: 100)
        try fill(&table, "a", bytes: 40, waiter: 1)
        try fill(&table, "b", bytes: 40, waiter: 2)
        _ = try table.request(Self.key("a"), bytes: 40, waiter: 3)
        table.limit(toBytes: 10)
        #expect(table.takeDropped() == ["b"])
        #expect(table.contains(Self.key("a")))
        table.release(3)
        #expect(table.takeDropped() == ["a"])
    }

    @Test func anAbandonedComputationHoldsItsBytesUntilItEnds() throws {
        var table = Table(byteLimit: 100)
        guard case .compute(let first) = try table.request(Self.key("a"), bytes: 60, waiter: 1)
        else { return }
        _ = try table.request(Self.key("a"), bytes: 60, waiter: 2)
        let cancellations = [1, 2, 2].map { table.cancel($0) }
        #expect(cancellations == [.left, .abandoned(first), .tooLate])
        #expect(table.statistics.pinnedBytes == 60)
        // A newcomer does not join what was told to stop, and there is no room for two.
        #expect(throws: RequestError.self) {
            try table.request(Self.key("a"), bytes: 60, waiter: 3)
        }
        guard case .compute(let second) = try table.request(Self.key("a"), bytes: 40, waiter: 4)
        else { return }
        let none = table.finish(first, with: .success(("late", 60)))
        #expect(none.isEmpty)
        #expect(table.takeDropped() == ["late"], "another computes it already")
        let one = table.finish(second, with: .success(("A", 40)))
        #expect(one.map(\.waiter) == [4])
        let again = table.finish(second, with: .success(("A", 40)))
        #expect(again.isEmpty)
        #expect(table.statistics.bytes == 40)
    }

    @Test func anAbandonedComputationThatEndsWellIsKept() throws {
        var table = Table(byteLimit: 100)
        guard case .compute(let flight) = try table.request(Self.key("a"), bytes: 60, waiter: 1)
        else { return }
        let cancellation = table.cancel(1)
        #expect(cancellation == .abandoned(flight))
        _ = table.finish(flight, with: .success(("A", 60)))
        #expect(table.contains(Self.key("a")))
        #expect(table.statistics.pinnedBytes == 0 && table.statistics.bytes == 60)
    }
}
