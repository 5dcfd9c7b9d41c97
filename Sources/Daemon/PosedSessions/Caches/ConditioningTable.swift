package import PosedAccounts
package import PosedErrors

/// What is kept of sources' conditioning, what is being computed, and who waits for it; performs
/// nothing.
///
/// An entry in use has pins and is never given up. The others are given up when their bytes are
/// needed: first those that no session keeps, then those of sessions that are idle; in both groups
/// those unused for longest. Room is made before a computation begins, so memory is free when it is
/// needed, and a computation that can find no room does not begin.
package struct ConditioningTable<Payload: Sendable>: Sendable {
    /// The number of a request, and of the pin that it gets.
    package typealias Waiter = UInt64
    /// The number of a computation.
    package typealias Flight = UInt64

    /// What a request gets.
    package enum Answer: Sendable {
        /// The payload, pinned.
        case ready(Payload, bytes: Int)
        /// Somebody computes it; there will be a delivery.
        case join
        /// It is to be computed, which is ``finish(_:with:)``'s to end; there will be a delivery.
        case compute(Flight)
    }

    /// What follows from a request's cancellation.
    package enum Cancellation: Hashable, Sendable {
        /// The request was answered already, or there is none.
        case tooLate
        /// It no longer waits; others do.
        case left
        /// It no longer waits, nor does anybody else: the computation had better stop.
        case abandoned(Flight)
    }

    /// What a waiting request is answered with.
    package struct Delivery: Sendable {
        /// The request.
        package let waiter: Waiter
        /// The payload, pinned, and whether this request began its computation; or what went wrong.
        package let result: Result<(payload: Payload, bytes: Int, isFirst: Bool), any Error>
    }

    private struct Ready: Sendable {
        let payload: Payload
        let bytes: Int
        var pins = 0
        /// What the account of those who use it holds for it.
        var hold: Hold?
    }

    private struct Computation: Sendable {
        let key: ContentKey
        let reserved: Int
        var waiters: [Waiter]
        let hold: Hold?
    }

    /// The most bytes; pinned ones may exceed it when a payload is larger than was expected.
    package private(set) var byteLimit: Int
    private var ready: [ContentKey: Ready] = [:]
    private var flights: [Flight: Computation] = [:]
    /// The computation that a newcomer joins.
    private var current: [ContentKey: Flight] = [:]
    private var waiting: [Waiter: Flight] = [:]
    private var pins: [Waiter: ContentKey] = [:]
    private var keepers: [ContentKey: Int] = [:]
    private var kept = RecencyList<ContentKey>()
    private var unkept = RecencyList<ContentKey>()
    private var lastFlight: Flight = 0
    private var dropped: [Payload] = []
    private var counts = CacheStatistics()

    /// An empty table.
    package init(byteLimit: Int) { self.byteLimit = max(0, byteLimit) }

    /// What the table holds, and how it served.
    package var statistics: CacheStatistics {
        var statistics = counts
        statistics.entries = ready.count
        return statistics
    }

    /// Payloads given up since the last call. The caller drops them where that takes no lock's time.
    package mutating func takeDropped() -> [Payload] {
        defer { dropped = [] }
        return dropped
    }

    /// Asks for a key's payload.
    ///
    /// - Parameters:
    ///   - bytes: what the payload will take if it has to be computed.
    ///   - waiter: a number that no other request has or had.
    ///   - account: whom the payload is charged to while it is in use. All requests for a key have one account.
    /// - Throws: `resourceExhausted` when the account has no room for it, or when it would have to be computed
    ///   and there is no room.
    package mutating func request(
        _ key: ContentKey, bytes: Int, waiter: Waiter, account: Account? = nil
    ) throws(RequestError) -> Answer {
        if let entry = ready[key] {
            if entry.pins == 0 {
                ready[key]?.hold = try account?.take(.conditioningBytes, entry.bytes)
            }
            counts.hits += 1
            pin(key, waiter)
            return .ready(entry.payload, bytes: entry.bytes)
        }
        if let flight = current[key] {
            counts.joins += 1
            flights[flight]?.waiters.append(waiter)
            waiting[waiter] = flight
            return .join
        }
        let bytes = max(0, bytes)
        guard bytes <= byteLimit - counts.pinnedBytes else {
            throw .quota(
                "the conditioning of sources takes at most \(byteLimit) bytes, of which "
                    + "\(counts.pinnedBytes) are in use, so \(bytes) more do not fit",
                of: "daemon")
        }
        let hold = try account?.take(.conditioningBytes, bytes)
        shrink(to: byteLimit - bytes)
        counts.misses += 1
        counts.bytes += bytes
        counts.pinnedBytes += bytes
        lastFlight += 1
        flights[lastFlight] = Computation(
            key: key, reserved: bytes, waiters: [waiter], hold: hold)
        current[key] = lastFlight
        waiting[waiter] = lastFlight
        return .compute(lastFlight)
    }

    /// Withdraws a request that waits.
    package mutating func cancel(_ waiter: Waiter) -> Cancellation {
        guard let flight = waiting.removeValue(forKey: waiter), var computation = flights[flight]
        else { return .tooLate }
        computation.waiters.removeAll { $0 == waiter }
        flights[flight] = computation
        guard computation.waiters.isEmpty else { return .left }
        // Nobody may join a computation that was told to stop; its bytes stay taken until it has.
        current[computation.key] = nil
        return .abandoned(flight)
    }

    /// Ends a computation.
    ///
    /// - Returns: the answers to all that wait for it, the first to ask first.
    package mutating func finish(
        _ flight: Flight, with result: Result<(payload: Payload, bytes: Int), any Error>
    ) -> [Delivery] {
        guard let computation = flights.removeValue(forKey: flight) else { return [] }
        let key = computation.key
        counts.bytes -= computation.reserved
        counts.pinnedBytes -= computation.reserved
        if current[key] == flight { current[key] = nil }
        for waiter in computation.waiters { waiting[waiter] = nil }
        switch result {
        case .failure(let error):
            if !computation.waiters.isEmpty { counts.failures += 1 }
            return computation.waiters.map { Delivery(waiter: $0, result: .failure(error)) }
        case .success(let (payload, bytes)):
            store(payload, bytes: max(0, bytes), for: key, computation)
            return computation.waiters.enumerated().map { index, waiter in
                Delivery(waiter: waiter, result: .success((payload, bytes, index == 0)))
            }
        }
    }

    /// Ends the use of a payload; says whether it was one. A second release does nothing.
    @discardableResult
    package mutating func release(_ pin: Waiter) -> Bool {
        guard let key = pins.removeValue(forKey: pin), var entry = ready[key] else { return false }
        entry.pins -= 1
        if entry.pins == 0 {
            entry.hold?.release()
            entry.hold = nil
        }
        ready[key] = entry
        if entry.pins == 0 {
            counts.pinnedBytes -= entry.bytes
            rest(key)
            shrink(to: byteLimit)
        }
        return true
    }
}

extension ConditioningTable {
    /// Says that one more session will want this key again.
    package mutating func addKeeper(of key: ContentKey) {
        keepers[key, default: 0] += 1
        if unkept.contains(key) { rest(key) }
    }

    /// Says that a session that wanted this key is no more.
    package mutating func removeKeeper(of key: ContentKey) {
        guard let count = keepers[key] else { return }
        keepers[key] = count > 1 ? count - 1 : nil
        if count == 1, kept.contains(key) { rest(key) }
    }

    /// Whether a key's payload is there.
    package func contains(_ key: ContentKey) -> Bool { ready[key] != nil }

    /// Gives up payloads that are not in use until at most so many bytes are taken, or none is left.
    package mutating func shrink(to bytes: Int) {
        while counts.bytes > max(0, bytes), let key = unkept.oldest ?? kept.oldest {
            unkept.remove(key)
            kept.remove(key)
            guard let entry = ready.removeValue(forKey: key) else { continue }
            counts.bytes -= entry.bytes
            counts.evictions += 1
            dropped.append(entry.payload)
        }
    }

    /// Changes the limit.
    package mutating func limit(toBytes limit: Int) {
        byteLimit = max(0, limit)
        shrink(to: byteLimit)
    }

    private mutating func store(
        _ payload: Payload, bytes: Int, for key: ContentKey, _ computation: Computation
    ) {
        // An abandoned computation may end well after all, and beside a newer one of the same key:
        // what is there, or will be, is as good.
        guard ready[key] == nil, current[key] == nil else {
            dropped.append(payload)
            return
        }
        let isWanted = !computation.waiters.isEmpty
        computation.hold?.note(bytes)
        ready[key] = Ready(
            payload: payload, bytes: bytes, hold: isWanted ? computation.hold : nil)
        counts.bytes += bytes
        rest(key)
        for waiter in computation.waiters { pin(key, waiter) }
        shrink(to: byteLimit)
    }

    private mutating func pin(_ key: ContentKey, _ waiter: Waiter) {
        guard var entry = ready[key] else { return }
        if entry.pins == 0 { counts.pinnedBytes += entry.bytes }
        entry.pins += 1
        ready[key] = entry
        pins[waiter] = key
        kept.remove(key)
        unkept.remove(key)
    }

    /// Puts an entry without pins where it belongs, as the one used last.
    private mutating func rest(_ key: ContentKey) {
        kept.remove(key)
        unkept.remove(key)
        if keepers[key] == nil { unkept.use(key) } else { kept.use(key) }
    }
}
