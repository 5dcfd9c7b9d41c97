import Foundation
import PosedAccounts
import PosedBackend
import PosedErrors
import PosedModels
import PosedPipeline
import PosedServing
import PosedTensor
import PosedTesting
import PosedVision
import Testing

/// What a device's memory does over many sizes of pictures, and at its limit.
@Suite struct DeviceMemoryTests {
    private func frame(_ tiny: TinyEngine, _ width: Int, _ height: Int) async throws -> Frame {
        var settings = TinyEngine.settings(guidance: 1.2)
        (settings.width, settings.height) = (width, height)
        return try await tiny.engine.synthesize(
            FrameRequest(
                subject: .pictures([try TinyEngine.picture()], model: nil),
                pose: try TinyEngine.pose(), settings: settings), owner: "a")
    }

    /// The memory of a size goes with it.
    @Test func isLevelHoweverManySizesAreAskedFor() async throws {
        let tiny = try await TinyEngine.make {
            $0.limits.accounts.total[.conditioningBytes] = 256 << 10
            $0.limits.maxPoseCacheBytes = 0
        }
        let device = tiny.model.streams.transformer.device
        /// Some sizes, and what is held after three that are always the same.
        func used(_ numbers: Range<Int>) async throws -> Double {
            for number in numbers {
                _ = try await frame(tiny, 16 * (4 + number % 7), 16 * (4 + number / 7))
            }
            for side in [176, 192, 208] { _ = try await frame(tiny, side, 64) }
            return Double(try device.info().memoryUsed)
        }
        let early = try await used(0..<8)
        let late = try await used(8..<49)
        #expect(late <= 1.02 * early, "\(early) bytes, then \(late)")
        // The standard size is still there, and as it was.
        let first = try await frame(tiny, 64, 64)
        #expect(try await frame(tiny, 64, 64).image == first.image)
        await tiny.engine.shutDown()
    }

    /// What has no room is refused by itself, and nothing is lost.
    @Test func whatHasNoRoomIsRefused() async throws {
        let registry = try BackendRegistry.discover()
        let free = try registry.open(BackendSelection(parsing: "blas"))
        let path = Goldens.model("tiny").path
        let plain = try PoseModel.load(
            folder: path, on: PartStreams(all: Compute(device: free, precision: .f32)))
        let weights = try free.info().memoryUsed
        let device = try registry.open(
            BackendSelection(parsing: "blas"),
            options: DeviceOptions(memoryLimit: weights + (24 << 20)))
        let model = try PoseModel.load(
            folder: path, on: PartStreams(all: Compute(device: device, precision: .f32)))
        var configuration = ServingConfiguration(models: [
            .init(name: "tiny", model, fingerprint: "tiny")
        ])
        configuration.backends = BackendRegistry(entries: [])
        configuration.warmsUp = false
        // The device's memory is to refuse, not its time.
        configuration.limits.frameTime = .seconds(1_000_000)
        configuration.limits.stepTime = .seconds(1_000_000)
        let tiny = TinyEngine(
            engine: try await ServingEngine.load(configuration), model: model)
        let before = try await frame(tiny, 64, 64)
        let error = await #expect(throws: RequestError.self) {
            try await frame(tiny, 1024, 1024)
        }
        #expect(error?.code == .resourceExhausted)
        #expect(try await frame(tiny, 64, 64).image == before.image)
        await tiny.engine.shutDown()
        withExtendedLifetime(plain) {}
    }
}
