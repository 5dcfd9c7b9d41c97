import PosedPipeline
import PosedServing
import PosedTesting
import PosedVision
import Testing

/// A large encoder of sources is in memory only while sources come.
@Suite(.timeLimit(.minutes(10))) struct SourceEncoderTests {
    private func frame(_ tiny: TinyEngine, shade: UInt8, pose: Int) async throws -> Frame {
        try await tiny.engine.synthesize(
            FrameRequest(
                subject: .pictures([try TinyEngine.picture(shade)], model: nil),
                pose: try TinyEngine.pose(pose), settings: TinyEngine.settings()), owner: "owner")
    }

    @Test func isGivenBackWhenIdleAndReadAgain() async throws {
        let kept = try await TinyEngine.make()
        let tiny = try await TinyEngine.make {
            $0.sourceEncoderIdle = .milliseconds(20)
            $0.largeEncoder = 0
            // Warming up encodes a source as well, after which the encoder is as idle.
            $0.warmsUp = true
        }
        for shade: UInt8 in [90, 91] {
            while tiny.model.sourceEncoder.isLoaded { try await Task.sleep(for: .milliseconds(1)) }
            #expect(tiny.model.poseEncoder.isLoaded)
            let made = try await frame(tiny, shade: shade, pose: 0)
            #expect(try await made.image == frame(kept, shade: shade, pose: 0).image)
        }
        while tiny.model.sourceEncoder.isLoaded { try await Task.sleep(for: .milliseconds(1)) }
        // Poses of a source that is known do without it.
        #expect(try await frame(tiny, shade: 91, pose: 1).cache.source)
        #expect(!tiny.model.sourceEncoder.isLoaded)
        await tiny.engine.shutDown()
        await kept.engine.shutDown()
    }

    @Test func aSmallOneStays() async throws {
        let tiny = try await TinyEngine.make { $0.sourceEncoderIdle = .nanoseconds(1) }
        for pose in 0..<3 { _ = try await frame(tiny, shade: 90, pose: pose) }
        #expect(tiny.model.sourceEncoder.isLoaded)
        await tiny.engine.shutDown()
    }
}
