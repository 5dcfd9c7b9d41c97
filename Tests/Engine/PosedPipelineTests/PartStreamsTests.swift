import PosedBackend
import PosedPipeline
import PosedTensor
import PosedTesting
import Testing

@Suite struct PartStreamsTests {
    private static func streams(_ placement: String, _ types: String) throws -> PartStreams {
        try PartStreams(
            BackendRegistry.discover().open(Placement(parsing: placement)),
            types: PartTypes(parsing: types))
    }

    @Test func partsOfOneTypeOnOneDeviceShareAStream() throws {
        let streams = try Self.streams("blas", "f32,vae=auto")
        #expect(streams.sourceEncoder === streams.transformer)
        #expect(streams.vae !== streams.transformer && streams.vae.precision == .f32)
    }

    @Test(.enabled(if: UsableDevices.ways.contains("cpu/i8")))
    func anAutoencoderNeedsNoEightBits() throws {
        let streams = try Self.streams("cpu,vae=blas", "i8")
        #expect(streams.vae.products == .f32)
        #expect(
            streams.sourceEncoder.products == .i8 && streams.sourceEncoder === streams.transformer)
        let error = #expect(throws: BackendError.self) {
            try Self.streams("cpu,encoders=blas", "i8")
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message == "source_encoder: blas computes in f32 here, not in i8")
        let own = try Self.streams("cpu", "i8,encoders=bf16")
        #expect(own.transformer.products == .i8 && own.poseEncoder.products == .bf16)
    }
}
