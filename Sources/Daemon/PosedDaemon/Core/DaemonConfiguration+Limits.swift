package import PosedAccounts
internal import PosedServing

/// How the memory is divided that callers may make the daemon take.
package struct MemoryShares: Hashable, Sendable {
    /// Messages and pictures that were received and are not answered.
    package var bytesInFlight: Int
    /// Sessions: their pictures, and their encoded sources.
    package var sessionBytes: Int
    /// The cache of encoded poses.
    package var poseBytes: Int
    /// Encoded sources that the service manager keeps over a restart.
    package var savedBytes: Int
    /// All of it, and what connections and unread answers take.
    package var total: Int

    /// The share that connections, calls and unread answers need at least.
    static let leastRest = 64 << 20
}

extension DaemonConfiguration {
    /// What callers may take where nobody says how much: so much more than the daemon takes when it is idle.
    private static let usualBudget = 2 << 30

    /// Divides the memory that callers may make the daemon take.
    ///
    /// - Parameter idle: resident memory of the daemon when it is ready and nobody has called, in bytes.
    /// - Throws: ``ConfigurationProblems`` where the parts are more than the whole.
    package func memoryShares(idle: Int) throws(ConfigurationProblems) -> MemoryShares {
        typealias Limits = Settings.Limits
        let budget = self[Limits.memory].map { $0 - idle } ?? Self.usualBudget
        guard budget >= 2 * MemoryShares.leastRest else {
            throw ConfigurationProblems([
                problem(
                    Limits.memory,
                    "should be at least \(2 * MemoryShares.leastRest >> 20) MiB more than the daemon takes when it is "
                        + "idle, \(idle >> 20) MiB; it is \(values.text(Limits.memory))")
            ])
        }
        // Of a small budget the parts are so much less that the rest is enough.
        let divided = min(budget, (budget - MemoryShares.leastRest) / 14 * 16)
        let shares = MemoryShares(
            bytesInFlight: self[Limits.bytesInFlight] ?? divided / 4,
            sessionBytes: self[Limits.sessionBytes] ?? divided / 2,
            poseBytes: self[Settings.Sessions.poseCacheBytes] ?? divided / 16,
            savedBytes: self[Settings.Sessions.savedBytes] ?? divided / 16, total: budget)
        let parts =
            shares.bytesInFlight + shares.sessionBytes + shares.poseBytes + shares.savedBytes
        // Without a limit of their own, large parts make the whole larger.
        guard self[Limits.memory] != nil else {
            var grown = shares
            grown.total = max(budget, parts + MemoryShares.leastRest)
            return grown
        }
        guard parts + MemoryShares.leastRest <= budget else {
            throw ConfigurationProblems([
                problem(
                    Limits.memory,
                    "should have room for limits.bytesInFlight, limits.sessionBytes, cache.poseBytes, cache.savedBytes and "
                        + "64 MiB for connections, \((parts + MemoryShares.leastRest) >> 20) MiB together, beside the "
                        + "\(idle >> 20) MiB of the idle daemon; it is \(values.text(Limits.memory))"
                )
            ])
        }
        return shares
    }

    /// How much each caller may hold, and all of them.
    package func accountLimits(_ shares: MemoryShares) -> AccountLimits {
        typealias Limits = Settings.Limits
        var limits = AccountLimits()
        limits.total[.connections] = self[Limits.connections]
        limits.each[.connections] = self[Limits.connectionsPerPeer]
        limits.total[.openCalls] = self[Limits.openCalls]
        limits.each[.openCalls] = self[Limits.openCallsPerPeer]
        limits.total[.calls] = self[Limits.calls]
        limits.each[.calls] = self[Limits.callsPerIdentity]
        limits.total[.streams] = self[Limits.streams]
        limits.each[.streams] = self[Limits.streamsPerIdentity]
        limits.total[.bytes] = shares.bytesInFlight
        limits.each[.bytes] = self[Limits.bytesInFlightPerIdentity] ?? shares.bytesInFlight / 4
        limits.total[.sessions] = self[Limits.sessions]
        limits.each[.sessions] = self[Limits.sessionsPerIdentity]
        let own = self[Limits.sessionBytesPerIdentity] ?? shares.sessionBytes / 4
        for resource in [Resource.sessionBytes, .conditioningBytes] {
            limits.total[resource] = shares.sessionBytes / 2
            limits.each[resource] = own / 2
        }
        limits.total[.queuedFrames] = self[Limits.queuedFrames]
        limits.each[.queuedFrames] = self[Limits.queuedFramesPerIdentity]
        limits.each[.deviceTime] = Int(self[Limits.queuedTimePerIdentity] / .milliseconds(1))
        for entry in self[Limits.identities] {
            limits.named[.identity(entry.identity)] = limits.each.changed(by: entry.limits)
        }
        return limits
    }
}

extension Amounts {
    /// These amounts with an identity's own.
    fileprivate func changed(by limits: [String: Int]) -> Amounts {
        var result = self
        let resources: [String: Resource] = [
            "calls": .calls, "streams": .streams, "bytesInFlight": .bytes, "sessions": .sessions,
            "queuedFrames": .queuedFrames,
        ]
        for (name, value) in limits {
            if let resource = resources[name] { result[resource] = value }
        }
        if let bytes = limits["sessionBytes"] {
            result[.sessionBytes] = bytes / 2
            result[.conditioningBytes] = bytes / 2
        }
        return result
    }
}
