import PosedErrors
import PosedSessions
import Testing

@Suite struct SessionCapacityTests {
    /// The refusal that a creation meets.
    private func refusal(
        _ fixture: TableFixture, _ owner: String = "alice", pixels: Int = 1
    ) throws -> String? {
        let draft = try draft(pixels: pixels)
        let id = fixture.nextID()
        do throws(RequestError) {
            _ = try fixture.table.create(draft, id: id, owner: owner, at: fixture.now)
            return nil
        } catch {
            #expect(error.code == .resourceExhausted)
            #expect(error.quota.map(\.description) == [error.message])
            return error.quota.first.map { "\($0.subject): \($0.description)" }
        }
    }

    @Test func givesUpWhatWasUnusedForLongest() throws {
        let fixture = TableFixture { $0.sessions = 3 }
        let ids = [try fixture.create("a"), try fixture.create("b"), try fixture.create("c")]
        fixture.tick()
        let use = try fixture.table.acquire(ids[0], owner: "a", at: fixture.now)
        fixture.release(use.lease)
        let fourth = try fixture.create("d")
        #expect(!fixture.isVisible(ids[1], to: "b"))
        #expect(fixture.isVisible(ids[0], to: "a"))
        #expect(fixture.isVisible(ids[2], to: "c"))
        #expect(fixture.isVisible(fourth, to: "d"))
        #expect(fixture.table.statistics.evicted == 1)
    }

    @Test func lookingAtASessionIsNoUse() throws {
        let fixture = TableFixture { $0.sessions = 2 }
        let first = try fixture.create("a")
        let second = try fixture.create("b")
        fixture.tick()
        #expect(fixture.isVisible(first, to: "a"))
        try fixture.create("c")
        #expect(!fixture.isVisible(first, to: "a"))
        #expect(fixture.isVisible(second, to: "b"))
    }

    @Test func anOwnerAtItsLimitGivesUpItsOwnOnly() throws {
        let fixture = TableFixture { $0.sessionsPerOwner = 2 }
        let oldest = try fixture.create("bob")
        let mine = [try fixture.create("alice"), try fixture.create("alice")]
        let third = try fixture.create("alice")
        #expect(fixture.isVisible(oldest, to: "bob"))
        #expect(!fixture.isVisible(mine[0]))
        #expect(fixture.isVisible(mine[1]))
        #expect(fixture.isVisible(third))
    }

    /// Whoever fills the store gives up sessions of its own: others keep theirs up to an equal share.
    @Test func anOwnerThatFillsTheStoreLeavesOthersTheirShare() throws {
        let fixture = TableFixture {
            $0.bytes = 600
            $0.bytesPerOwner = 600
        }
        let mine = [
            try fixture.create("alice", pixels: 30), try fixture.create("alice", pixels: 30),
        ]
        fixture.tick(.seconds(3600 / 8))
        for _ in 0..<10 { try fixture.create("bob", pixels: 40) }
        #expect(mine.allSatisfy { fixture.isVisible($0) })
        #expect(fixture.table.statistics.bytes <= 600)
        // Bob has more than half, so the half is there for Alice.
        try fixture.create("alice", pixels: 20)
        #expect(mine.allSatisfy { fixture.isVisible($0) })
    }

    @Test func ownersMayHaveBoundsOfTheirOwn() throws {
        let fixture = TableFixture {
            $0.sessionsPerOwner = 1
            $0.named["bob"] = .init(sessions: 3, bytes: 1000)
        }
        let ids = [
            try fixture.create("bob"), try fixture.create("bob"), try fixture.create("bob"),
        ]
        #expect(ids.allSatisfy { fixture.isVisible($0, to: "bob") })
        #expect(fixture.table.statistics.evicted == 0)
        let changed = fixture.table.takeChangedUsage()
        #expect(changed.map(\.owner) == ["bob"] && changed.map(\.sessions) == [3])
        #expect(fixture.table.takeChangedUsage().isEmpty)
    }

    @Test func neverGivesUpASessionInUse() throws {
        let fixture = TableFixture { $0.sessions = 2 }
        let used = try fixture.create()
        let lease = try fixture.table.acquire(used, owner: "alice", at: fixture.now)
        let idle = try fixture.create()
        let other = try fixture.create()
        #expect(!fixture.isVisible(idle))
        let second = try fixture.table.acquire(other, owner: "alice", at: fixture.now)
        #expect(
            try refusal(fixture)
                == "daemon: at most 2 sessions are kept, and 2 are in use or too recent to be given up"
        )
        fixture.release(second.lease)
        try fixture.create()
        #expect(fixture.isVisible(used))
        fixture.release(lease.lease)
        fixture.expectConsistency()
    }

    @Test func doesNotGiveUpWhatWasUsedAMomentAgo() throws {
        let fixture = TableFixture {
            $0.sessions = 1
            $0.evictableAfter = .seconds(60)
        }
        let first = try fixture.create()
        fixture.tick(.seconds(59))
        #expect(try refusal(fixture)?.hasPrefix("daemon: at most 1 sessions") == true)
        #expect(fixture.isVisible(first))
        fixture.tick(.seconds(1))
        #expect(try refusal(fixture) == nil)
        #expect(!fixture.isVisible(first))
    }

    @Test func refusesInsteadWhereTheLimitsSaySo() throws {
        let fixture = TableFixture {
            $0.sessions = 2
            $0.overflow = .refuse
        }
        let ids = [try fixture.create(), try fixture.create()]
        fixture.tick(.seconds(300))
        #expect(
            try refusal(fixture)
                == "daemon: at most 2 sessions are kept, and 2 are in use or too recent to be given up"
        )
        #expect(fixture.isVisible(ids[0]) && fixture.isVisible(ids[1]))
        // What has expired is no reason to refuse.
        fixture.tick(.seconds(900))
        #expect(try refusal(fixture) == nil)
    }

    @Test func countsBytes() throws {
        let fixture = TableFixture {
            $0.bytes = 300
            $0.bytesPerOwner = 210
        }
        let big = try fixture.create("alice", pixels: 70)
        #expect(
            try refusal(fixture, "bob", pixels: 71)
                == "identity:bob: the pictures of a client's sessions take at most 210 bytes, of which 0 "
                + "cannot be given up now, so 213 more do not fit")
        let lease = try fixture.table.acquire(big, owner: "alice", at: fixture.now)
        #expect(
            try refusal(fixture, "alice", pixels: 1)
                == "identity:alice: the pictures of a client's sessions take at most 210 bytes, of which "
                + "210 cannot be given up now, so 3 more do not fit")
        #expect(
            try refusal(fixture, "bob", pixels: 31)
                == "daemon: the pictures of all sessions take at most 300 bytes, of which 210 cannot be "
                + "given up now, so 93 more do not fit")
        try fixture.create("bob", pixels: 30)
        #expect(fixture.table.statistics.bytes == 300)
        fixture.release(lease.lease)
        try fixture.create("bob", pixels: 31)
        // Bob's older one goes first, as it was unused for longer, and does not suffice.
        #expect(fixture.table.statistics.bytes == 93)
        #expect(!fixture.isVisible(big))
    }

    @Test func aRefusalGivesNothingUp() throws {
        let fixture = TableFixture { $0.bytes = 300 }
        let idle = [try fixture.create(pixels: 20), try fixture.create(pixels: 20)]
        let used = try fixture.create("bob", pixels: 40)
        _ = try fixture.table.acquire(used, owner: "bob", at: fixture.now)
        _ = fixture.table.takeActions()
        // Both idle ones would go, and it still would not fit.
        #expect(
            try refusal(fixture, pixels: 70)
                == "daemon: the pictures of all sessions take at most 300 bytes, of which 120 cannot be "
                + "given up now, so 210 more do not fit")
        #expect(fixture.table.takeActions().isEmpty)
        #expect(fixture.isVisible(idle[0]) && fixture.isVisible(idle[1]))
    }

    @Test func deletedSessionsInUseKeepTheirBytesUntilReleased() throws {
        let fixture = TableFixture { $0.bytes = 300 }
        let id = try fixture.create("alice", pixels: 90)
        let first = try fixture.table.acquire(id, owner: "alice", at: fixture.now)
        let second = try fixture.table.acquire(id, owner: "alice", at: fixture.now)
        #expect(!fixture.table.isRevoked(first.lease))
        try fixture.table.delete(id, owner: "alice", at: fixture.now)
        #expect(fixture.table.isRevoked(first.lease))
        #expect(fixture.table.statistics.bytes == 270)
        #expect(fixture.table.statistics.sessions == 0)
        #expect(
            try refusal(fixture, "bob", pixels: 20)?.contains("of which 270 cannot be") == true)
        #expect(fixture.release(first.lease))
        #expect(!fixture.release(first.lease))
        #expect(fixture.table.statistics.bytes == 270)
        #expect(fixture.release(second.lease))
        #expect(fixture.table.statistics.bytes == 0)
        #expect(fixture.table.statistics.owners == 0)
        #expect(try refusal(fixture, "bob", pixels: 100) == nil)
    }

    @Test func newLimitsTakeEffectWithTheNextSession() throws {
        let fixture = TableFixture()
        let ids = try (0..<4).map { _ in try fixture.create() }
        fixture.table.limits.sessions = 2
        #expect(fixture.table.statistics.sessions == 4)
        try fixture.create()
        #expect(fixture.table.statistics.sessions == 2)
        #expect(fixture.isVisible(ids[3]) && !fixture.isVisible(ids[2]))
    }

    @Test func limitsAreChecked() {
        func problem(_ change: (inout SessionLimits) -> Void) -> RequestError.Code? {
            var limits = SessionLimits()
            change(&limits)
            return code { () throws(RequestError) in try limits.validate() }
        }
        #expect(problem { _ in } == nil)
        #expect(problem { $0.sessions = 0 } == .invalidArgument)
        #expect(problem { $0.sessionsPerOwner = -1 } == .invalidArgument)
        #expect(problem { $0.bytes = 0 } == .invalidArgument)
        #expect(problem { $0.bytesPerOwner = 0 } == .invalidArgument)
        #expect(problem { $0.picturesPerSession = 0 } == .invalidArgument)
        #expect(problem { $0.leastTimeToLive = .zero } == .invalidArgument)
        #expect(problem { $0.greatestTimeToLive = .seconds(400 * 86_400) } == .invalidArgument)
        #expect(problem { $0.defaultTimeToLive = .milliseconds(1) } == .invalidArgument)
        #expect(problem { $0.leastTimeToLive = .seconds(1000) } == .invalidArgument)
        #expect(problem { $0.evictableAfter = .seconds(-1) } == .invalidArgument)
    }
}
