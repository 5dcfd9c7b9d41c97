import PosedAccounts
import PosedRPC
import Testing

@Suite("Newcomers")
struct NewcomersTests {
    private let one = Caller.host("192.0.2.1")
    private let other = Caller.user(7)

    @Test("a peer that opens more than its share loses its own oldest")
    func share() {
        var newcomers = Newcomers(most: 10, mostEach: 2, patience: .seconds(1))
        #expect(newcomers.add(1, of: one) == nil)
        #expect(newcomers.add(2, of: other) == nil)
        #expect(newcomers.add(3, of: one) == nil)
        #expect(newcomers.add(4, of: one) == 1)
        #expect(newcomers.add(5, of: one) == 3)
        #expect(newcomers.add(6, of: other) == nil)
        #expect(newcomers.count == 4)
    }

    @Test("where there are too many of all peers the oldest leaves")
    func all() {
        var newcomers = Newcomers(most: 3, mostEach: 3, patience: .seconds(1))
        for key in 1...3 { #expect(newcomers.add(UInt64(key), of: one) == nil) }
        #expect(newcomers.add(4, of: other) == 1)
        #expect(newcomers.count == 3)
    }

    @Test("who has spoken makes room and is not late")
    func spoken() {
        var newcomers = Newcomers(most: 3, mostEach: 2, patience: .seconds(1))
        let start = ContinuousClock.now
        _ = newcomers.add(1, of: one, at: start)
        _ = newcomers.add(2, of: one, at: start + .milliseconds(500))
        newcomers.remove(1)
        newcomers.remove(1)
        #expect(newcomers.add(3, of: one, at: start + .milliseconds(700)) == nil)
        #expect(newcomers.deadline == start + .milliseconds(1500))
        #expect(newcomers.expired(at: start + .seconds(1)) == [])
        #expect(newcomers.expired(at: start + .milliseconds(1600)) == [2])
        #expect(newcomers.expired(at: start + .seconds(9)) == [3])
        #expect(newcomers.deadline == nil)
        #expect(newcomers.add(4, of: one) == nil)
    }
}
