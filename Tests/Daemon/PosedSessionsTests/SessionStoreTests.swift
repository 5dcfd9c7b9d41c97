import PosedBase
import PosedErrors
import PosedGuarded
import PosedSessions
import Testing

@Suite struct SessionStoreTests {
    typealias Store = SessionStore<TestSettings, ManualClock>

    private struct Fixture {
        let clock = ManualClock()
        let removals = Removals()
        let store: Store

        init(_ change: (inout SessionLimits) -> Void = { _ in }) throws {
            var limits = SessionLimits()
            limits.evictableAfter = .zero
            change(&limits)
            let (clock, removals) = (clock, removals)
            store = try Store(
                limits: limits, clock: clock,
                wall: {
                    WallTime(milliseconds: TableFixture.start)
                        .advanced(by: ManualClock.Instant().duration(to: clock.now))
                },
                onRemoval: { removals.add($0.id, $1) })
        }
    }

    /// What the observer was told.
    private final class Removals: Sendable {
        private let list = Guarded<[SessionID: RemovalReason]>([:])
        var all: [SessionID: RemovalReason] { list.withLock { $0 } }
        func add(_ id: SessionID, _ reason: RemovalReason) { list.withLock { $0[id] = reason } }
    }

    @Test func makesFindsChangesAndDeletes() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let made = try await store.create(draft(name: "one"), owner: "alice")
        #expect(try store.session(made.id, owner: "alice") == made)
        let changed = try await store.update(
            made.id, owner: "alice", with: SessionUpdate(displayName: "two"))
        #expect(changed.displayName == "two")
        #expect(try store.sessions(of: "alice").sessions == [changed])
        #expect(try store.sessions(of: "bob").sessions.isEmpty)
        #expect(throws: RequestError.self) { try store.session(made.id, owner: "bob") }
        await #expect(throws: RequestError.self) {
            try await store.delete(made.id, owner: "bob")
        }
        try await store.delete(made.id, owner: "alice")
        #expect(throws: RequestError.self) { try store.session(made.id, owner: "alice") }
        #expect(fixture.removals.all == [made.id: .deleted])
    }

    @Test func aLeaseEndsOnce() async throws {
        let fixture = try Fixture()
        let id = try await fixture.store.create(draft(), owner: "alice").id
        let first = try fixture.store.acquire(id, owner: "alice")
        let second = try fixture.store.acquire(id, owner: "alice")
        #expect(fixture.store.statistics.leases == 2)
        first.release()
        first.release()
        #expect(fixture.store.statistics.leases == 1)
        #expect(fixture.store.statistics.sessionsInUse == 1)
        withExtendedLifetime(second) {}
        second.release()
        #expect(fixture.store.statistics.leases == 0)
        do { _ = try fixture.store.acquire(id, owner: "alice") }
        #expect(fixture.store.statistics.leases == 0, "a lease nobody holds is released")
    }

    @Test func countsFrames() async throws {
        let fixture = try Fixture()
        let id = try await fixture.store.create(draft(), owner: "alice").id
        let lease = try fixture.store.acquire(id, owner: "alice")
        lease.count(frames: 2)
        lease.count(frames: 3)
        #expect(try fixture.store.session(id, owner: "alice").frameCount == 5)
        lease.release()
        lease.count(frames: 1)
        #expect(try fixture.store.session(id, owner: "alice").frameCount == 5)
        let last = try fixture.store.acquire(id, owner: "alice")
        try await fixture.store.delete(id, owner: "alice")
        last.count(frames: 1)
        last.release()
    }

    @Test func aLeaseOutlivesItsSession() async throws {
        let fixture = try Fixture()
        let made = try await fixture.store.create(draft(pixels: 9), owner: "alice")
        let lease = try fixture.store.acquire(made.id, owner: "alice")
        #expect(!lease.isRevoked)
        try await fixture.store.delete(made.id, owner: "alice")
        #expect(lease.isRevoked)
        #expect(lease.session.pictures == made.pictures)
        #expect(fixture.store.statistics.bytes == 27)
        lease.release()
        #expect(lease.isRevoked)
        #expect(fixture.store.statistics.bytes == 0)
    }

    @Test func expiresWhileItRuns() async throws {
        let fixture = try Fixture()
        let store = fixture.store
        let short = try await store.create(draft(timeToLive: .seconds(10)), owner: "alice")
        let long = try await store.create(draft(timeToLive: .seconds(100)), owner: "alice")
        let running = Task { await store.run() }
        await fixture.clock.waitForSleeper()
        #expect(fixture.removals.all.isEmpty)
        fixture.clock.advance(by: .seconds(10))
        await fixture.clock.waitForSleeper()
        #expect(fixture.removals.all == [short.id: .expired])
        #expect(store.statistics.sessions == 1)
        // Made while it sleeps, and gone before it would have woken for the other.
        let late = try await store.create(draft(timeToLive: .seconds(20)), owner: "alice")
        fixture.clock.advance(by: .seconds(30))
        await fixture.clock.waitForSleeper()
        #expect(fixture.removals.all == [short.id: .expired, late.id: .expired])
        #expect(try store.session(long.id, owner: "alice").id == long.id)
        running.cancel()
        await running.value
    }

    @Test func newLimitsAreChecked() throws {
        let fixture = try Fixture()
        var limits = SessionLimits()
        limits.sessions = 0
        #expect(throws: RequestError.self) { try fixture.store.adopt(limits) }
        #expect(fixture.store.limits.sessions == 1024)
        limits.sessions = 5
        try fixture.store.adopt(limits)
        #expect(fixture.store.limits.sessions == 5)
        limits.bytes = -1
        #expect(throws: RequestError.self) { try Store(limits: limits, clock: fixture.clock) }
    }

    @Test func tellsOfEvictions() async throws {
        let fixture = try Fixture { $0.sessions = 1 }
        let first = try await fixture.store.create(draft(), owner: "alice")
        _ = try await fixture.store.create(draft(), owner: "bob")
        #expect(fixture.removals.all == [first.id: .evicted])
        let refusal = try await {
            let lease = try fixture.store.acquire(
                fixture.store.sessions(of: "bob").sessions[0].id, owner: "bob")
            defer { lease.release() }
            return await #expect(throws: RequestError.self) {
                try await fixture.store.create(draft(), owner: "alice")
            }
        }()
        #expect(refusal?.quota.first?.subject == "daemon")
    }

    /// Threads that make, use and delete at once: whoever holds a lease has his session, and in the
    /// end nothing is left.
    @Test func survivesACrowd() async throws {
        let fixture = try Fixture {
            $0.sessions = 8
            $0.sessionsPerOwner = 4
        }
        let store = fixture.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                let owner = "owner \(number % 4)"
                group.addTask {
                    var generator = SeededGenerator(seed: UInt64(number))
                    for round in 0..<100 {
                        fixture.clock.advance(by: .milliseconds(1))
                        let value = UInt8(number * 10 + round % 10)
                        guard
                            let made = try? await store.create(draft(value: value), owner: owner),
                            let lease = try? store.acquire(made.id, owner: owner)
                        else { continue }
                        if Bool.random(using: &generator) { await Task.yield() }
                        #expect(lease.session.pictures[0].pixels[0] == value)
                        #expect(try store.session(made.id, owner: owner).id == made.id)
                        if Bool.random(using: &generator) {
                            try await store.delete(made.id, owner: owner)
                        }
                        lease.release()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(store.statistics.leases == 0)
        #expect(store.statistics.sessions <= 8)
        fixture.clock.advance(by: .seconds(100_000))
        store.sweep()
        #expect(store.statistics.bytes == 0 && store.statistics.owners == 0)
    }
}
