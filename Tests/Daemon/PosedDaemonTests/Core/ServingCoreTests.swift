import Foundation
import Logging
import PosedBackend
import PosedDaemon
import PosedGuarded
import PosedProtos
import PosedRPC
import PosedServing
import PosedTelemetry
import PosedTesting
import Testing

/// The core as the daemon runs it, with the small model of the tests behind a Unix socket.
@Suite("The core", .timeLimit(.minutes(10))) struct ServingCoreTests {
    private let folder: TemporaryFolder
    private let core = ServingCore(log: LogSink(format: .text, level: .critical))
    private let values: SettingValues

    init() throws {
        folder = try TemporaryFolder()
        values = SettingValues().with(Settings.Model.folder, Goldens.model("tiny").path)
            .with(Settings.Model.backend, "blas")
            .with(Settings.Model.deviceLoss, .drain)
            .with(Settings.Listen.unixPath, folder.path + "/s")
            .with(Settings.Limits.maxNfe, 1000)
            .with(Settings.Operations.drainTimeout, .seconds(3600))
    }

    /// Starts the core, and runs `body` with a channel to it.
    private func serve(_ body: (Channel) async throws -> Void) async throws {
        let metrics = try DaemonMetrics(MetricsRegistry())
        try await core.start(
            DaemonConfiguration(values: values),
            CoreContext(activated: [], metrics: metrics, progress: { _ in }))
        do {
            let channel = try Channel(ChannelConfiguration(target: .unix(path: folder.path + "/s")))
            try #require(await channel.ready(within: .seconds(100)))
            try await body(channel)
        } catch {
            await core.stop()
            throw error
        }
        await core.stop()
    }

    private func health(_ channel: Channel) async throws
        -> Grpc_Health_V1_HealthCheckResponse
        .ServingStatus
    {
        try await channel.unary(HealthMethods.check, .init()).status
    }

    private static func loss(lanesLeft: Int) -> LaneLoss {
        LaneLoss(lane: 0, error: BackendError(.deviceLost, "it is gone"), lanesLeft: lanesLeft)
    }

    @Test("tells gRPC's health service that its last device is lost")
    func healthAfterALoss() async throws {
        try await serve { channel in
            let before = try await health(channel)
            let isEnding = await core.ends(after: Self.loss(lanesLeft: 0))
            let after = try await health(channel)
            core.updateHealth()
            let later = try await health(channel)
            #expect(before == .serving)
            #expect(isEnding)
            #expect(after == .notServing)
            #expect(later == .notServing, "and does not take it back")
        }
    }

    @Test("drains after a loss for the time that the last reload says")
    func drainTimeAfterAReload() async throws {
        try await serve { channel in
            let isAnswered = Guarded(false)
            let frame = Task {
                defer { isAnswered.withLock { $0 = true } }
                return try await channel.unary(SynthesisMethods.synthesize, longRequest())
            }
            while core.statistics.framesRunning == 0, !isAnswered.withLock({ $0 }) {
                try await Task.sleep(for: .milliseconds(1))
            }
            try await core.reload(
                DaemonConfiguration(values: values.with(Settings.Operations.drainTimeout, .zero)))
            #expect(await core.ends(after: Self.loss(lanesLeft: 1)))
            // Drained for an hour, as the start said, it would have been answered.
            let error = await #expect(throws: RPCError.self) { try await frame.value }
            #expect(error?.code == .unavailable, "\(String(describing: error))")
        }
    }

    /// A frame that takes seconds.
    private func longRequest() -> Posed_V1_SynthesizeRequest {
        var picture = Posed_V1_Image()
        picture.raw.width = 64
        picture.raw.height = 64
        picture.raw.rgb = .init(repeating: 90, count: 3 * 64 * 64)
        var request = Posed_V1_SynthesizeRequest()
        request.sources.images = [picture]
        request.pose.keypoints.space = .pixels
        request.pose.keypoints.joints = (0..<18).map { index in
            var joint = Posed_V1_Keypoint()
            joint.x = Float(10 + index)
            joint.y = Float(10 + 2 * index)
            return joint
        }
        request.settings.solver = "euler"
        request.settings.nfe = 1000
        (request.settings.width, request.settings.height) = (256, 256)
        return request
    }
}
