import PosedSessions

extension ServingEngine {
    /// Takes in the sessions that an earlier process left. Their conditioning is computed when it is first
    /// asked for.
    ///
    /// - Returns: How many.
    @discardableResult
    package func restoreSessions() async -> Int { await store.restore() }

    /// Removes sessions as they expire, until the task is cancelled.
    package func keepHouse() async { await store.run() }

    /// The losses of devices, those that have happened and those to come. Frames on a lost lane are
    /// unavailable, and only a new engine room brings it back; new work goes to the lanes that are left.
    package var losses: AsyncStream<LaneLoss> { fleet.losses }

    /// Whether new work is refused.
    package var isDraining: Bool { gate.isClosed }

    /// Refuses new work from now on, and finishes what was accepted; what is not finished by then is
    /// given up as unavailable.
    ///
    /// - Returns: Whether all was finished.
    @discardableResult
    package func drain(until deadline: ContinuousClock.Instant) async -> Bool {
        gate.close()
        let isSettled = await withTaskGroup(of: Bool.self) { group in
            group.addTask { [gate] in
                await gate.settled()
                return true
            }
            group.addTask { [fleet] in
                try? await Task.sleep(until: deadline, clock: .continuous)
                // Giving up what is left lets the other task come to its end, too.
                if !Task.isCancelled { fleet.stop() }
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? true
        }
        return isSettled
    }

    /// Stops all work, ends the lanes' threads after the steps they are in, and sees sessions written down.
    package func shutDown() async {
        gate.close()
        fleet.stop()
        await store.flush()
    }
}
