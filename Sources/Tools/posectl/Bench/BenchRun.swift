import PosedGuarded
import PosedProtos

/// What all ways of loading the daemon share.
final class BenchRun: Sendable {
    /// How often in a row a caller looks for a daemon that is not there.
    static let patience = 5
    /// How long until it looks again.
    static let pause = Duration.milliseconds(100)

    let client: Client
    let sessions: [String]
    let poses: [Posed_V1_Pose]
    let settings: Posed_V1_SynthesisSettings
    let concurrency: Int
    private let begin = ContinuousClock.now
    private let bar: ProgressBar
    private let records = Guarded<[BenchRecord]>([])

    /// A run of these settings.
    init(
        client: Client, sessions: [String], poses: [Posed_V1_Pose],
        settings: Posed_V1_SynthesisSettings, concurrency: Int, frames: Int?
    ) {
        self.client = client
        self.sessions = sessions
        self.poses = poses
        self.settings = settings
        self.concurrency = concurrency
        bar = ProgressBar("frames", total: frames)
    }

    /// Seconds since the beginning.
    var now: Double { (ContinuousClock.now - begin).seconds }

    /// Waits until a time of the run.
    func wait(until seconds: Double) async throws {
        try await Task.sleep(until: begin + .seconds(seconds), clock: .continuous)
    }

    /// Notes what became of a request.
    func note(_ record: BenchRecord) {
        records.withLock { $0.append(record) }
        bar.step()
    }

    /// All that was noted.
    var allRecords: [BenchRecord] { records.withLock { $0 } }
}
