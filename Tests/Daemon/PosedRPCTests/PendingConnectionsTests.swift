import PosedAccounts
import PosedRPC
import Testing

@Suite("PendingConnections")
struct PendingConnectionsTests {
    private let one = Caller.host("192.0.2.1")
    private let other = Caller.user(7)

    @Test("a peer that opens more than its share loses its own oldest")
    func share() {
        var pendingConnections = PendingConnections(most: 10, mostEach: 2, patience: .seconds(1))
        #expect(pendingConnections.add(1, of: one) == nil)
        #expect(pendingConnections.add(2, of: other) == nil)
        #expect(pendingConnections.add(3, of: one) == nil)
        #expect(pendingConnections.add(4, of: one) == 1)
        #expect(pendingConnections.add(5, of: one) == 3)
        #expect(pendingConnections.add(6, of: other) == nil)
        #expect(pendingConnections.count == 4)
    }

    @Test("where there are too many of all peers the oldest leaves")
    func all() {
        var pendingConnections = PendingConnections(most: 3, mostEach: 3, patience: .seconds(1))
        for key in 1...3 { #expect(pendingConnections.add(UInt64(key), of: one) == nil) }
        #expect(pendingConnections.add(4, of: other) == 1)
        #expect(pendingConnections.count == 3)
    }

    @Test("who has spoken makes room and is not late")
    func spoken() {
        var pendingConnections = PendingConnections(most: 3, mostEach: 2, patience: .seconds(1))
        let start = ContinuousClock.now
        _ = pendingConnections.add(1, of: one, at: start)
        _ = pendingConnections.add(2, of: one, at: start + .milliseconds(500))
        pendingConnections.remove(1)
        pendingConnections.remove(1)
        #expect(pendingConnections.add(3, of: one, at: start + .milliseconds(700)) == nil)
        #expect(pendingConnections.deadline == start + .milliseconds(1500))
        #expect(pendingConnections.expired(at: start + .seconds(1)) == [])
        #expect(pendingConnections.expired(at: start + .milliseconds(1600)) == [2])
        #expect(pendingConnections.expired(at: start + .seconds(9)) == [3])
        #expect(pendingConnections.deadline == nil)
        #expect(pendingConnections.add(4, of: one) == nil)
    }
}
