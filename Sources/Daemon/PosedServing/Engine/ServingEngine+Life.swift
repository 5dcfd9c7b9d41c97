import PosedSessions

extension ServingEngine {
    /// Takes in the sessions that an earlier process left. Their conditioning is taken in, or computed, when it is
    /// first asked for.
    ///
    /// - Returns: How many.
    @discardableResult
    package func restoreSessions() async -> Int {
        let count = await store.restore()
        saved?.forget { !store.contains($0) }
        return count
    }

    /// Removes sessions as they expire, until the task is cancelled.
    package func keepHouse() async { await store.run() }

    /// The losses of devices, those that have happened and those to come. Frames on a lost lane are
    /// unavailable, and only a new engine room brings it back; new work goes to the lanes that are left.
    package var losses: AsyncStream<LaneLoss> { lanePool.losses }

    /// Stops all work, ends the lanes' threads after the steps they are in, and sees sessions written down.
    package func shutDown() async {
        lanePool.stop()
        await store.flush()
    }
}
