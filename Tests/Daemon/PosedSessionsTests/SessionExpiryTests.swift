import PosedBase
import PosedSessions
import Testing

@Suite struct SessionExpiryTests {
    @Test func endsAtItsTimeToTheNanosecond() throws {
        let fixture = TableFixture()
        let id = try fixture.create(timeToLive: .seconds(10))
        fixture.tick(.seconds(10) - .nanoseconds(1))
        #expect(fixture.isVisible(id))
        fixture.tick(.nanoseconds(1))
        #expect(!fixture.isVisible(id))
        #expect(fixture.table.statistics.expired == 1)
        #expect(fixture.table.statistics.bytes == 0)
    }

    @Test func useStartsTheTimeAnew() throws {
        let fixture = TableFixture()
        let id = try fixture.create(timeToLive: .seconds(10))
        fixture.tick(.seconds(9))
        let use = try fixture.table.acquire(id, owner: "alice", at: fixture.now)
        fixture.tick(.seconds(1000))
        fixture.table.sweep(at: fixture.now)
        #expect(fixture.isVisible(id), "a session in use does not expire")
        let seen = try fixture.table.session(id, owner: "alice", at: fixture.now)
        #expect(seen.expires == fixture.now.wall.advanced(by: .seconds(10)))
        fixture.release(use.lease)
        fixture.tick(.seconds(9))
        #expect(fixture.isVisible(id))
        fixture.tick(.seconds(1))
        #expect(!fixture.isVisible(id))
    }

    @Test func theLastLeaseCounts() throws {
        let fixture = TableFixture()
        let id = try fixture.create(timeToLive: .seconds(10))
        let first = try fixture.table.acquire(id, owner: "alice", at: fixture.now)
        let second = try fixture.table.acquire(id, owner: "alice", at: fixture.now)
        fixture.release(first.lease)
        fixture.release(first.lease)
        fixture.tick(.seconds(100))
        #expect(fixture.isVisible(id), "a lease released twice has not released the other")
        fixture.release(second.lease)
        fixture.tick(.seconds(10))
        #expect(!fixture.isVisible(id))
    }

    @Test func changingTheTimeToLiveIsUse() throws {
        let fixture = TableFixture()
        let id = try fixture.create(timeToLive: .seconds(10))
        fixture.tick(.seconds(9))
        _ = try fixture.table.update(
            id, owner: "alice", with: SessionUpdate(timeToLive: .seconds(3)), at: fixture.now)
        fixture.tick(.seconds(2))
        #expect(fixture.isVisible(id))
        fixture.tick(.seconds(1))
        #expect(!fixture.isVisible(id))
    }

    @Test func sweepSaysWhenToComeAgain() throws {
        let fixture = TableFixture()
        #expect(fixture.table.sweep(at: fixture.now) == nil)
        try fixture.create(timeToLive: .seconds(30))
        let made = fixture.now.instant
        let short = try fixture.create(timeToLive: .seconds(20))
        let next = fixture.table.sweep(at: fixture.now)
        #expect(next == made.advanced(by: .seconds(21)))
        _ = fixture.table.takeActions()
        fixture.tick(.seconds(20))
        #expect(fixture.table.sweep(at: fixture.now) == made.advanced(by: .seconds(30)))
        guard case .remove(let gone, .expired)? = fixture.table.takeActions().first else {
            Issue.record("no removal")
            return
        }
        #expect(gone.id == short)
    }

    @Test func longUseIsWrittenDownFromTimeToTime() throws {
        let fixture = TableFixture()
        let id = try fixture.create(timeToLive: .seconds(160))
        _ = fixture.table.takeActions()
        fixture.tick(.seconds(9))
        let use = try fixture.table.acquire(id, owner: "alice", at: fixture.now)
        #expect(fixture.table.takeActions().isEmpty, "nine seconds are less than a sixteenth")
        let due = fixture.table.sweep(at: fixture.now)
        #expect(due == fixture.now.instant.advanced(by: .seconds(1)))
        for _ in 0..<5 {
            fixture.tick(.seconds(10))
            fixture.table.sweep(at: fixture.now)
            guard case .save(let session)? = fixture.table.takeActions().first else {
                Issue.record("the use was not written down")
                return
            }
            #expect(session.used == fixture.now.wall)
        }
        fixture.release(use.lease)
        #expect(fixture.table.takeActions().isEmpty)
        fixture.tick()
        fixture.table.flush(at: fixture.now)
        #expect(fixture.table.takeActions().isEmpty, "all is written")
    }

    @Test func flushWritesWhatIsNotWritten() throws {
        let fixture = TableFixture()
        let used = try fixture.create()
        let untouched = try fixture.create()
        fixture.tick()
        let first = try fixture.table.acquire(used, owner: "alice", at: fixture.now)
        fixture.release(first.lease)
        _ = fixture.table.takeActions()
        fixture.table.flush(at: fixture.now)
        guard case .save(let session)? = fixture.table.takeActions().first else {
            Issue.record("nothing was saved")
            return
        }
        #expect(session.id == used && session.used == fixture.now.wall)
        fixture.table.flush(at: fixture.now)
        #expect(fixture.table.takeActions().isEmpty)
        #expect(fixture.isVisible(untouched))
    }
}
