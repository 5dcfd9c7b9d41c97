package import PosedBackend
import PosedErrors
import PosedScheduling
import Synchronization

/// A job of one of the lanes.
struct PlacedJob: Sendable {
    let lane: Int
    let id: JobID
}

/// The lanes of an engine room: one for each copy of its models, each on devices of its own.
///
/// A frame is made on one lane from beginning to end, because what it needs lies on that lane's devices. All
/// copies have equal numerics, so a picture does not depend on where it was made.
final class LanePool: Sendable {
    let lanes: [Lane]
    private let turn = Atomic(0)

    /// - Precondition: there is at least one.
    init(_ lanes: [Lane]) {
        precondition(!lanes.isEmpty, "an engine room has a lane")
        self.lanes = lanes
    }

    /// The lane of a form.
    subscript(form: LaneForm) -> Lane { lanes[form.lane] }

    /// What time it is.
    var now: ContinuousClock.Instant { lanes[0].clock() }

    /// When the lane that has been silent longest last began a step.
    var heartbeat: ContinuousClock.Instant { lanes.map(\.heartbeat).min() ?? now }

    /// Jobs that no work was begun for, on all lanes.
    var waiting: Int { lanes.reduce(0) { $0 + $1.waiting } }

    /// Jobs on all lanes.
    var count: Int { lanes.reduce(0) { $0 + $1.count } }

    /// Whether a lane's device is lost.
    func isLost(_ lane: Int) -> Bool { lanes[lane].deviceLoss.isKnown }

    /// The lane for somebody's next work: one that has his source already, as long as that is not a full batch
    /// busier than the one that has least to do. Lost lanes are left out while there is another.
    ///
    /// - Parameters:
    ///   - homes: lanes that have his source.
    ///   - spreads: whether those who have no home yet are dealt out in turn.
    func lane(homes: Set<Int>, spreads: Bool = false) -> Int {
        if lanes.count == 1 { return 0 }
        let usable = lanes.indices.filter { !isLost($0) }
        guard !usable.isEmpty else { return 0 }
        let jobs = lanes.map(\.count)
        let first = spreads ? turn.wrappingAdd(1, ordering: .relaxed).oldValue : 0
        // The first in turn wins among equals.
        let inTurn = usable.indices.map { usable[($0 + first) % usable.count] }
        guard let least = inTurn.min(by: { jobs[$0] < jobs[$1] }) else { return 0 }
        let home = usable.filter(homes.contains).min { jobs[$0] < jobs[$1] }
        guard let home, jobs[home] < jobs[least] + lanes[home].limits.batchRows else {
            return least
        }
        return home
    }

    /// Takes other bounds of the queue, each lane by itself.
    func adopt(_ limits: ServingLimits) {
        for lane in lanes { lane.limits = lane.limits.adopting(limits) }
    }

    /// Stops a job: its completion is called with this error, unless it was called before.
    func cancel(_ job: PlacedJob, with error: RequestError) {
        lanes[job.lane].cancel(job.id, with: error)
    }

    /// Has all threads look again for what is to be done.
    func wake() {
        for lane in lanes { lane.wake() }
    }

    /// Forgets a stream.
    func close(stream: UInt64) {
        for lane in lanes { lane.close(stream: stream) }
    }

    /// Ends all threads after the steps they are in.
    func stop() {
        for lane in lanes { lane.stop() }
    }

    /// The losses of devices, as they happen and those that have happened; ends after the last lane's.
    var losses: AsyncStream<LaneLoss> {
        AsyncStream { continuation in
            let watch = Task {
                await withTaskGroup(of: (Int, BackendError)?.self) { group in
                    for (number, lane) in lanes.enumerated() {
                        group.addTask { await lane.deviceLoss.news().map { (number, $0) } }
                    }
                    for await loss in group {
                        guard let (lane, error) = loss else { continue }
                        let left = lanes.indices.count { !isLost($0) }
                        continuation.yield(LaneLoss(lane: lane, error: error, lanesLeft: left))
                    }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in watch.cancel() }
        }
    }
}

/// A lane's device is lost: frames that need it are unavailable.
package struct LaneLoss: Sendable {
    /// Which.
    package let lane: Int
    /// What the device said, for the operator.
    package let error: BackendError
    /// Lanes that still work, which take what comes from now on.
    package let lanesLeft: Int

    /// A loss of its parts.
    package init(lane: Int, error: BackendError, lanesLeft: Int) {
        self.lane = lane
        self.error = error
        self.lanesLeft = lanesLeft
    }
}
