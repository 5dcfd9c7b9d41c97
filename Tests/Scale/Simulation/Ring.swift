/// HAProxy's choice of a server by consistent hash, with or without bounded load, as its versions 2.6 and later make it
/// for `balance hdr(…)`, `hash-type consistent` and `hash-balance-factor` (there in `lb_chash.c` and `backend.c`).
///
/// - A server has 16 points on a ring of 32 bits for each unit of its weight: hashes of 4096 × its number (from 1) + 0, 1, ….
/// - A request goes to the server of the point that is nearest to the hash of its key, before or behind it.
/// - With a factor, a server that has its share of all open requests is passed over, clockwise. Its share is that of its
///   weight in ⌈(open requests + this one) × factor ÷ 100⌉, in whole requests, and at least one.
package struct Ring: Sendable {
    private struct Point {
        let key: UInt32
        let server: Int
    }

    /// Points for each unit of weight.
    private static var pointsOfWeight: Int { 16 }

    /// Percent of the mean that a server may have; nil: as many as come.
    package let factor: Int?
    private let weight: Int
    private let servers: Int
    private var points: [Point] = []
    private var isUp: [Bool]
    /// Servers that are up before each: where its share of what does not divide evenly begins.
    private var before: [Int] = []
    private var up = 0

    /// Open requests of each server.
    package private(set) var served: [Int]
    /// Open requests of all.
    package private(set) var total = 0

    /// A ring of servers that are all up.
    package init(servers: Int, weight: Int, factor: Int?) {
        self.servers = servers
        self.weight = weight
        self.factor = factor
        isUp = Array(repeating: true, count: servers)
        served = Array(repeating: 0, count: servers)
        place()
    }

    /// Takes a server out, or in again.
    package mutating func set(_ server: Int, isUp: Bool) {
        self.isUp[server] = isUp
        place()
    }

    /// A request is open at a server.
    package mutating func opened(_ server: Int) {
        served[server] += 1
        total += 1
    }

    /// It is over.
    package mutating func closed(_ server: Int) {
        served[server] -= 1
        total -= 1
    }

    /// The server for a key; nil where none is up.
    package func server(for key: String) -> Int? {
        guard !points.isEmpty else { return nil }
        let hash = Self.hash(key)
        var index = firstPoint(notBelow: hash)
        let previous = (index + points.count - 1) % points.count
        // Differences wrap around, as the ring does.
        if hash &- points[previous].key <= points[index].key &- hash { index = previous }
        for _ in 0..<2 * points.count where !hasRoom(points[index].server) {
            index = (index + 1) % points.count
        }
        return points[index].server
    }

    /// Requests that a server may have once one more is open.
    package func share(of server: Int) -> Int {
        guard let factor, up > 0 else { return .max }
        let slots = ((total + 1) * factor + 99) / 100
        let own = Self.pointsOfWeight * weight
        let all = own * up
        let (even, rest) = slots.quotientAndRemainder(dividingBy: all)
        let begin = own * before[server]
        return max(1, own * even + (begin + own) * rest / all - begin * rest / all)
    }

    private func hasRoom(_ server: Int) -> Bool { served[server] < share(of: server) }

    private mutating func place() {
        points = []
        before = []
        up = 0
        for server in 0..<servers {
            before.append(up)
            guard isUp[server] else { continue }
            up += 1
            for node in 0..<Self.pointsOfWeight * weight {
                let key = Self.mixed(UInt32(truncatingIfNeeded: (server + 1) * 4096 + node))
                points.append(Point(key: key, server: server))
            }
        }
        points.sort { ($0.key, $0.server) < ($1.key, $1.server) }
    }

    private func firstPoint(notBelow hash: UInt32) -> Int {
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle].key < hash { low = middle + 1 } else { high = middle }
        }
        return low % points.count
    }

    /// The hash of a key: sdbm, then mixed.
    static func hash(_ key: String) -> UInt32 {
        mixed(key.utf8.reduce(0) { UInt32($1) &+ ($0 << 6) &+ ($0 << 16) &- $0 })
    }

    /// Bob Jenkins's mixing of 32 bits, times a prime near three quarters of the ring.
    private static func mixed(_ value: UInt32) -> UInt32 {
        var a = value
        a = (a &+ 0x7ed5_5d16) &+ (a << 12)
        a = (a ^ 0xc761_c23c) ^ (a >> 19)
        a = (a &+ 0x1656_67b1) &+ (a << 5)
        a = (a &+ 0xd3a2_646c) ^ (a << 9)
        a = (a &+ 0xfd70_46c5) &+ (a << 3)
        a = (a ^ 0xb55a_4f09) ^ (a >> 16)
        return a &* 3_221_225_473
    }
}
