import Foundation
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

    /// `auto` is 8 bits where the model says that it allows them and the device has them.
    @Test(.enabled(if: UsableDevices.ways.contains("cpu/i8")))
    func aModelThatAllowsEightBitsHasThem() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-eight-bits-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.copyItem(at: Goldens.model("tiny"), to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        func types(_ asked: String, _ placement: String) throws -> [DType?] {
            let devices = try BackendRegistry.discover().open(Placement(parsing: placement))
            let types = try ModelFolder(path: folder.path).types(
                PartTypes(parsing: asked), on: devices)
            return [types[.vae], types[.sourceEncoder], types[.transformer]]
        }
        #expect(try types("auto", "cpu") == [nil, nil, nil])
        try Data(#"{"eight_bits": true}"#.utf8)
            .write(to: folder.appendingPathComponent("model_index.json"))
        #expect(try types("auto", "cpu") == [nil, .i8, .i8])
        #expect(try types("auto", "cpu,encoders=blas") == [nil, nil, .i8])
        #expect(try types("encoders=f32", "cpu") == [nil, .f32, .i8])
        #expect(try types("f32", "cpu") == [.f32, .f32, .f32])
    }
}
