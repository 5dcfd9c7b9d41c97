import PosedErrors
import PosedSessions
import Testing

/// Thousands of random calls, each of which must end as it does in ``NaiveSessions``.
@Suite struct SessionModelTests {
    private struct Run {
        let fixture: TableFixture
        var naive: NaiveSessions
        var generator: SeededGenerator
        var known: [SessionID] = []
        var leases: [UInt64] = []

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            fixture = TableFixture {
                $0.sessions = Int.random(in: 2...8, using: &generator)
                $0.sessionsPerOwner = Int.random(in: 1...5, using: &generator)
                $0.bytes = 3 * Int.random(in: 10...60, using: &generator)
                $0.bytesPerOwner = 3 * Int.random(in: 5...40, using: &generator)
                $0.evictableAfter = .seconds(Int.random(in: 0...4, using: &generator))
            }
            naive = NaiveSessions(limits: fixture.table.limits)
            self.generator = generator
        }

        mutating func anyID() -> SessionID {
            known.randomElement(using: &generator) ?? fixture.nextID()
        }

        mutating func anyOwner() -> String {
            ["a", "b", "c"].randomElement(using: &generator) ?? "a"
        }
    }

    @Test(arguments: 0..<60)
    func agreesWithTheNaiveModel(seed: UInt64) throws {
        var run = Run(seed: seed)
        for _ in 0..<400 {
            run.fixture.tick(.seconds(Int.random(in: 0...2, using: &run.generator)))
            switch Int.random(in: 0..<12, using: &run.generator) {
            case 0..<4: try create(&run)
            case 4..<7: acquire(&run)
            case 7..<9: release(&run)
            case 9: delete(&run)
            case 10: update(&run)
            default: list(&run)
            }
            compare(&run)
        }
        for lease in run.leases { run.fixture.release(lease) }
        #expect(run.fixture.table.statistics.leases == 0)
        run.fixture.tick(.seconds(1000))
        run.fixture.table.sweep(at: run.fixture.now)
        let statistics = run.fixture.table.statistics
        #expect(statistics.bytes == 0 && statistics.owners == 0 && statistics.sessions == 0)
    }

    private func create(_ run: inout Run) throws {
        let owner = run.anyOwner()
        let pixels = Int.random(in: 1...20, using: &run.generator)
        let timeToLive = Duration.seconds(Int.random(in: 1...30, using: &run.generator))
        let draft = try draft(pixels: pixels, timeToLive: timeToLive)
        let id = run.fixture.nextID()
        let expected = run.naive.create(
            id, owner, bytes: 3 * pixels, timeToLive: timeToLive, at: run.fixture.elapsed)
        let result = code { () throws(RequestError) in
            _ = try run.fixture.table.create(draft, id: id, owner: owner, at: run.fixture.now)
        }
        #expect(result == (expected ? nil : .resourceExhausted))
        run.known.append(id)
    }

    private func acquire(_ run: inout Run) {
        let (id, owner) = (run.anyID(), run.anyOwner())
        let index = run.naive.find(id, owner, at: run.fixture.elapsed)
        let use = try? run.fixture.table.acquire(id, owner: owner, at: run.fixture.now)
        #expect((use != nil) == (index != nil))
        guard let use, let index else { return }
        #expect(!run.leases.contains(use.lease))
        run.naive.use(index, at: run.fixture.elapsed)
        run.naive.items[index].leases.append(use.lease)
        run.leases.append(use.lease)
    }

    private func release(_ run: inout Run) {
        // Leases stay in the list, so some are released a second time.
        guard let lease = run.leases.randomElement(using: &run.generator) else { return }
        let expected = run.naive.release(lease, at: run.fixture.elapsed)
        let released = run.fixture.release(lease)
        #expect(released == expected)
    }

    private func delete(_ run: inout Run) {
        let (id, owner) = (run.anyID(), run.anyOwner())
        let index = run.naive.find(id, owner, at: run.fixture.elapsed)
        let result = code { () throws(RequestError) in
            try run.fixture.table.delete(id, owner: owner, at: run.fixture.now)
        }
        #expect(result == (index == nil ? .notFound : nil))
        if let index { run.naive.delete(index) }
    }

    private func update(_ run: inout Run) {
        let (id, owner) = (run.anyID(), run.anyOwner())
        let timeToLive = Duration.seconds(Int.random(in: 1...30, using: &run.generator))
        let index = run.naive.find(id, owner, at: run.fixture.elapsed)
        let result = code { () throws(RequestError) in
            _ = try run.fixture.table.update(
                id, owner: owner, with: SessionUpdate(timeToLive: timeToLive),
                at: run.fixture.now)
        }
        #expect(result == (index == nil ? .notFound : nil))
        guard let index else { return }
        run.naive.items[index].timeToLive = timeToLive
        run.naive.use(index, at: run.fixture.elapsed)
    }

    private func list(_ run: inout Run) {
        let owner = run.anyOwner()
        let page = try? run.fixture.table.page(
            owner: owner, size: 1000, token: nil, at: run.fixture.now)
        let expected = run.naive.visible(owner, at: run.fixture.elapsed).map(\.id)
        #expect(page.map { Set($0.sessions.map(\.id)) } == Set(expected))
        #expect(page?.totalCount == expected.count)
    }

    private func compare(_ run: inout Run) {
        run.fixture.table.sweep(at: run.fixture.now)
        run.naive.dropExpired(at: run.fixture.elapsed)
        let statistics = run.fixture.table.statistics
        #expect(statistics.sessions == run.naive.items.count)
        #expect(statistics.bytes == run.naive.bytes)
        #expect(statistics.sessionsInUse == run.naive.items.count { !$0.leases.isEmpty })
        let leases = (run.naive.items + run.naive.ghosts).reduce(0) { $0 + $1.leases.count }
        #expect(statistics.leases == leases)
        run.fixture.expectConsistency()
    }
}
