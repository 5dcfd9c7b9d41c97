import PosedScale
import Testing

/// The consistent hash, with and without bounded load.
@Suite struct RingTests {
    private let names = (0..<2_000).map { "sessions/\($0)" }

    /// What Debian's HAProxy 2.6.12 answered for `balance hdr(x-posed-session)`, `hash-type consistent` and five servers.
    /// `Tests/Scale/haproxy.py` asks it again.
    @Test(arguments: [
        (
            1,
            "431330244004232114230441330444302323033424410122211400400023"
        ),
        (
            16,
            "004310001404231302000123132321102200003402310142131013140304"
        ),
    ])
    func choosesAsHAProxyDoes(weight: Int, expected: String) {
        let ring = Ring(servers: 5, weight: weight, factor: nil)
        let chosen = names.prefix(expected.count).compactMap { ring.server(for: $0) }
        #expect(chosen.map(String.init).joined() == expected)
    }

    /// A death moves the sessions of the dead replica and no others; a return brings the same ones back.
    @Test func movesOnlyTheSessionsOfADeadReplica() {
        var ring = Ring(servers: 20, weight: 8, factor: nil)
        let before = names.map { ring.server(for: $0) }
        ring.set(7, isUp: false)
        let without = names.map { ring.server(for: $0) }
        #expect(!without.contains(7))
        #expect(!zip(before, without).contains { $0 != 7 && $0 != $1 })
        let moved = zip(before, without).count { $0 != $1 }
        // One in twenty is 100.
        #expect((40...200).contains(moved), "\(moved) of \(names.count) moved")
        ring.set(7, isUp: true)
        #expect(names.map { ring.server(for: $0) } == before)
    }

    /// No replica gets more than its share, rounded up, and what fits goes where the plain hash has it.
    @Test(arguments: [1, 4])
    func keepsTheBound(weight: Int) {
        let plain = Ring(servers: 20, weight: weight, factor: nil)
        var ring = Ring(servers: 20, weight: weight, factor: 150)
        var away = 0
        for name in names.prefix(400) {
            guard let server = ring.server(for: name) else {
                Issue.record("no server for \(name)")
                return
            }
            #expect(ring.served[server] < ring.share(of: server))
            if server != plain.server(for: name) { away += 1 }
            ring.opened(server)
            #expect(
                Double(ring.served[server]) <= (1.5 * Double(ring.total) / 20).rounded(.up) + 1)
        }
        #expect(away > 0 && away < 200)
    }

    @Test func hasNoServerWhenAllAreDown() {
        var ring = Ring(servers: 2, weight: 1, factor: 150)
        ring.set(0, isUp: false)
        #expect(ring.server(for: "a") == 1)
        ring.set(1, isUp: false)
        #expect(ring.server(for: "a") == nil)
    }
}
