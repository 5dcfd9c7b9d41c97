import PosedSessions
import Testing

/// Requests, cancellations, releases and the end of computations in every order they can meet.
@Suite struct ConditioningInterleavingTests {
    typealias Table = ConditioningTable<String>

    enum Step: Sendable { case request(String), cancel, release, trim, finish, fail }

    /// Scripts of clients; `finish` and `fail` end the oldest computation that is under way.
    static let scripts: [[[Step]]] = [
        [[.request("a"), .cancel], [.request("a"), .release], [.finish, .finish]],
        [[.request("a"), .cancel], [.request("a"), .cancel], [.finish, .request("a")]],
        [[.request("a"), .release], [.request("a"), .release], [.fail, .finish], [.trim]],
        [
            [.request("a"), .release], [.request("b"), .cancel], [.request("c")], [.finish, .fail],
        ],
    ]

    private struct World {
        var table = Table(byteLimit: 20)
        var lastWaiter: UInt64 = 0
        var waiterOfClient: [Int: UInt64] = [:]
        var waiting: Set<UInt64> = []
        var pinned: [UInt64: String] = [:]
        var flights: [(flight: UInt64, name: String)] = []
    }

    @Test(arguments: scripts.indices)
    func holdsInEveryOrder(script: Int) {
        let clients = Self.scripts[script]
        for order in interleavings(clients.map(\.count)) {
            var world = World()
            var positions = clients.map { _ in 0 }
            for client in order {
                perform(clients[client][positions[client]], by: client, in: &world)
                positions[client] += 1
                check(world, order)
            }
            while !world.flights.isEmpty { perform(.finish, by: -1, in: &world) }
            #expect(world.waiting.isEmpty, "somebody was never answered: \(order)")
            for pin in world.pinned.keys {
                let released = world.table.release(pin)
                #expect(released)
            }
            world.table.shrink(to: 0)
            #expect(world.table.statistics.bytes == 0, "\(order)")
            #expect(world.table.statistics.pinnedBytes == 0, "\(order)")
            #expect(world.table.statistics.entries == 0, "\(order)")
        }
    }

    private func perform(_ step: Step, by client: Int, in world: inout World) {
        switch step {
        case .request(let name):
            world.lastWaiter += 1
            let waiter = world.lastWaiter
            let key = ConditioningTableTests.key(name)
            switch try? world.table.request(key, bytes: 10, waiter: waiter) {
            case .ready(let payload, _): world.pinned[waiter] = payload
            case .join: world.waiting.insert(waiter)
            case .compute(let flight):
                world.waiting.insert(waiter)
                world.flights.append((flight, name))
            case nil: break
            }
            world.waiterOfClient[client] = waiter
        case .cancel:
            guard let waiter = world.waiterOfClient[client] else { return }
            let cancellation = world.table.cancel(waiter)
            #expect((cancellation == .tooLate) == !world.waiting.contains(waiter))
            world.waiting.remove(waiter)
        case .release:
            guard let waiter = world.waiterOfClient[client] else { return }
            let released = world.table.release(waiter)
            #expect(released == (world.pinned[waiter] != nil))
            world.pinned[waiter] = nil
        case .trim:
            world.table.shrink(to: 0)
        case .finish, .fail:
            guard !world.flights.isEmpty else { return }
            let (flight, name) = world.flights.removeFirst()
            var isFailure = false
            if case .fail = step { isFailure = true }
            let deliveries = world.table.finish(
                flight,
                with: isFailure
                    ? .failure(ConditioningTableTests.Failure()) : .success((name, 10)))
            for delivery in deliveries {
                let removed = world.waiting.remove(delivery.waiter)
                #expect(removed != nil, "an answer nobody waits for")
                guard case .success(let answer) = delivery.result else { continue }
                world.pinned[delivery.waiter] = answer.payload
            }
        }
    }

    private func check(_ world: World, _ order: [Int]) {
        let statistics = world.table.statistics
        #expect(statistics.bytes <= 20, "\(order)")
        #expect(statistics.pinnedBytes <= statistics.bytes, "\(order)")
        for name in Set(world.pinned.values) {
            #expect(world.table.contains(ConditioningTableTests.key(name)), "\(order)")
        }
        let pinnedNames = Set(world.pinned.values).count + world.flights.count
        #expect(statistics.pinnedBytes == 10 * pinnedNames, "\(order)")
    }
}
