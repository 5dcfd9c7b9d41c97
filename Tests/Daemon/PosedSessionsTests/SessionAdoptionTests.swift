import PosedSessions
import Testing

@Suite struct SessionAdoptionTests {
    /// The sessions that a table has written down at its end.
    private func written(_ fixture: TableFixture) -> [Session<TestSettings>] {
        fixture.table.flush(at: fixture.now)
        var latest: [SessionID: Session<TestSettings>] = [:]
        for action in fixture.table.takeActions() {
            switch action {
            case .save(let session): latest[session.id] = session
            case .remove(let session, _): latest[session.id] = nil
            }
        }
        return Array(latest.values)
    }

    private func successor(
        _ change: (inout SessionLimits) -> Void = { _ in }, after away: Duration
    ) -> TableFixture {
        let fixture = TableFixture(change)
        fixture.elapsed = away
        return fixture
    }

    @Test func bringsBackSessionsAsTheyWere() throws {
        let before = TableFixture()
        let ids = [try before.create(), try before.create("bob"), try before.create()]
        before.tick()
        let page = try before.table.page(owner: "alice", size: 1, token: nil, at: before.now)
        let sessions = written(before)

        let after = successor(after: .seconds(20))
        let refused = after.table.adopt(sessions, at: after.now)
        #expect(refused.isEmpty)
        for session in sessions {
            let found = try after.table.session(session.id, owner: session.owner, at: after.now)
            #expect(found == session)
        }
        #expect(!after.isVisible(ids[0], to: "bob"))
        #expect(after.table.statistics.restored == 3)
        #expect(after.table.takeActions().isEmpty)
        // A listing goes on where it was.
        let next = try after.table.page(
            owner: "alice", size: 5, token: page.nextToken, at: after.now)
        #expect(next.sessions.map(\.id) == [ids[2]])
    }

    @Test func theTimeAwayIsIdleTime() throws {
        let before = TableFixture()
        let id = try before.create(timeToLive: .seconds(160))
        let sessions = written(before)
        // Ten seconds is how much the written use may lag behind; the client gets them back.
        let justAlive = successor(after: .seconds(1 + 169))
        _ = justAlive.table.adopt(sessions, at: justAlive.now)
        #expect(justAlive.isVisible(id))
        justAlive.tick(.seconds(1))
        #expect(!justAlive.isVisible(id))

        let late = successor(after: .seconds(1 + 170))
        _ = late.table.adopt(sessions, at: late.now)
        #expect(!late.isVisible(id))
        #expect(late.table.takeActions().count == 1, "what was written of it goes too")
        #expect(late.table.statistics.expired == 1)
    }

    @Test func aWallClockThatWentBackIsNoTime() throws {
        let before = TableFixture()
        before.elapsed = .seconds(100_000)
        let id = try before.create(timeToLive: .seconds(10))
        let after = successor(after: .zero)
        _ = after.table.adopt(written(before), at: after.now)
        after.tick(.seconds(9))
        #expect(after.isVisible(id))
        after.tick(.seconds(1))
        #expect(!after.isVisible(id))
    }

    @Test func ofTooManyTheLastUsedComeBack() throws {
        let before = TableFixture()
        let ids = try (0..<5).map { _ in try before.create() }
        let after = successor({ $0.sessions = 3 }, after: .seconds(10))
        let refused = after.table.adopt(written(before), at: after.now)
        #expect(Set(refused.map(\.id)) == Set(ids[..<2]))
        #expect(after.table.takeActions().isEmpty, "what found no room stays on the disk")
        // They keep their order: the one that is given up first is the one unused for longest.
        try after.create("bob")
        #expect(!after.isVisible(ids[2]) && after.isVisible(ids[3]))
    }

    @Test func timesToLiveAreBroughtIntoTheBounds() throws {
        let before = TableFixture()
        let long = try before.create(timeToLive: .seconds(10_000))
        let short = try before.create(timeToLive: .seconds(2))
        let after = successor(
            {
                $0.leastTimeToLive = .seconds(60)
                $0.greatestTimeToLive = .seconds(1000)
            }, after: .seconds(2))
        _ = after.table.adopt(written(before), at: after.now)
        let found = try [long, short].map {
            try after.table.session($0, owner: "alice", at: after.now).timeToLive
        }
        #expect(found == [.seconds(1000), .seconds(60)])
    }

    @Test func adoptsNothingTwice() throws {
        let before = TableFixture()
        try before.create()
        let sessions = written(before)
        let after = successor(after: .seconds(2))
        _ = after.table.adopt(sessions, at: after.now)
        _ = after.table.adopt(sessions, at: after.now)
        #expect(after.table.statistics.sessions == 1)
        after.expectConsistency()
    }
}
