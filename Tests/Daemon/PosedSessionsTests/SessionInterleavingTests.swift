import PosedErrors
import PosedSessions
import Testing

/// Small scripts of several clients, run in every order in which they can meet.
@Suite struct SessionInterleavingTests {
    /// What a script does next.
    enum Step: Sendable {
        case acquire, release, releaseAgain, delete, create, sweep, update, look
    }

    private struct World {
        let fixture = TableFixture {
            $0.sessions = 2
            $0.overflow = .evict
        }
        let shared: SessionID
        var leases: [Int: UInt64] = [:]
        /// Clients whose lease is good, with the session in it.
        var holders: Set<Int> = []
        var isDeleted = false

        init() throws {
            shared = try fixture.create(pixels: 5, timeToLive: .seconds(20))
            try fixture.create(pixels: 1, timeToLive: .seconds(100))
        }
    }

    static let scripts: [[[Step]]] = [
        // Use against eviction: two clients make sessions where there is room for two.
        [[.acquire, .release, .releaseAgain], [.create, .create], [.create, .look]],
        // Use against deletion.
        [[.acquire, .release, .releaseAgain], [.acquire, .release], [.delete]],
        // Use against expiry; every step takes seconds.
        [[.acquire, .release], [.sweep, .sweep, .sweep], [.update, .sweep]],
        // All at once.
        [
            [.acquire, .release], [.delete, .create], [.create, .sweep], [.acquire, .releaseAgain],
        ],
    ]

    @Test(arguments: scripts.indices, [1, 7])
    func holdsInEveryOrder(script: Int, seconds: Int) throws {
        let clients = Self.scripts[script]
        let orders = interleavings(clients.map(\.count))
        #expect(orders.count >= 60)
        for order in orders {
            var world = try World()
            var positions = clients.map { _ in 0 }
            for client in order {
                world.fixture.tick(.seconds(seconds))
                try perform(clients[client][positions[client]], by: client, in: &world)
                positions[client] += 1
                check(world, order)
            }
            for lease in world.leases.values { world.fixture.release(lease) }
            #expect(world.fixture.table.statistics.leases == 0)
            world.fixture.tick(.seconds(10_000))
            world.fixture.table.sweep(at: world.fixture.now)
            #expect(world.fixture.table.statistics.bytes == 0, "\(order)")
        }
    }

    private func perform(_ step: Step, by client: Int, in world: inout World) throws {
        let fixture = world.fixture
        switch step {
        case .acquire:
            let use = try? fixture.table.acquire(
                world.shared, owner: "alice", at: fixture.now)
            world.leases[client] = use?.lease
            if use != nil { world.holders.insert(client) }
        case .release:
            guard let lease = world.leases[client] else { return }
            let released = fixture.release(lease)
            #expect(released)
            world.holders.remove(client)
        case .releaseAgain:
            guard let lease = world.leases[client] else { return }
            let released = fixture.release(lease)
            #expect(released == world.holders.contains(client))
            world.holders.remove(client)
        case .delete:
            let result = code { () throws(RequestError) in
                try fixture.table.delete(world.shared, owner: "alice", at: fixture.now)
            }
            world.isDeleted = world.isDeleted || result == nil
        case .create:
            let id = try? fixture.create("client \(client)", pixels: 2)
            let isFull = world.holders.count > 0 && !world.isDeleted
            #expect(id != nil || isFull, "idle sessions make room")
        case .sweep:
            fixture.table.sweep(at: fixture.now)
        case .update:
            _ = try? fixture.table.update(
                world.shared, owner: "alice", with: SessionUpdate(displayName: "x"),
                at: fixture.now)
        case .look:
            _ = fixture.isVisible(world.shared)
        }
    }

    private func check(_ world: World, _ order: [Int]) {
        world.fixture.expectConsistency()
        let statistics = world.fixture.table.statistics
        #expect(statistics.leases == world.holders.count, "\(order)")
        guard !world.holders.isEmpty else { return }
        // In use: it is there unless it was deleted, and its bytes are held either way.
        #expect(world.fixture.isVisible(world.shared) == !world.isDeleted, "\(order)")
        #expect(statistics.bytes >= 15)
        for holder in world.holders {
            guard let lease = world.leases[holder] else { continue }
            #expect(world.fixture.table.isRevoked(lease) == world.isDeleted)
        }
    }
}
