import Foundation
import PosedBackend
import PosedModels
import PosedTensor
import PosedTesting
import PosedWeights
import Testing

/// Autoencoders of both classes against diffusers.
@Suite struct AutoencoderTests {
    static let models = ["tiny", "tiny-wide", "tiny-no-concatenation", "tiny-no-aggregation"]

    @Test(arguments: PartGolden.cases(models.map { ($0, "vae.encode") }))
    func encodes(_ golden: PartGolden) throws {
        let compute = try UsableDevices.compute(golden.backend)
        let (vae, _) = try Autoencoders.load(folder: golden.folder("vae"), on: compute)
        let latent = try vae.encode(golden.image("image", on: compute), on: compute)
        try golden.expect(image: latent, "latent", on: compute)
    }

    @Test(arguments: PartGolden.cases(models.map { ($0, "vae.decode") }))
    func decodes(_ golden: PartGolden) throws {
        let compute = try UsableDevices.compute(golden.backend)
        let (vae, _) = try Autoencoders.load(folder: golden.folder("vae"), on: compute)
        let image = try vae.decode(golden.image("latent", on: compute), on: compute)
        try golden.expect(image: image, "image", on: compute)
    }

    /// A forward takes all its memory from the stream, so it can be recorded and repeated.
    @Test(
        arguments: PartGolden.cases([
            ("tiny", "vae.decode"), ("tiny-no-concatenation", "vae.decode"),
        ]))
    func canBeCaptured(_ golden: PartGolden) throws {
        let compute = try UsableDevices.compute(golden.backend)
        let (vae, _) = try Autoencoders.load(folder: golden.folder("vae"), on: compute)
        let latent = try golden.image("latent", on: compute)
        let plain = try vae.decode(latent, on: compute)
        let result = try compute.persistent(plain.shape, .f32)
        let graph = try compute.capture {
            try compute.copy(vae.decode(latent, on: compute), to: result)
        }
        try compute.launch(graph)
        try golden.expect(image: result, "image", on: compute)
        let (again, once) = try (compute.floats(result), compute.floats(plain))
        #expect(again == once)
    }

    @Test(arguments: UsableDevices.names)
    func saysWhatItIs(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend)
        for model in Self.models {
            let folder = Goldens.model(model).appendingPathComponent("vae").path
            let vae = try Autoencoders.load(folder: folder, on: compute).model
            #expect(vae.latentChannels == 4)
            #expect(vae.downsampling == 8)
        }
    }

    /// Attention under the older names, as filters of one pixel.
    @Test(arguments: PartGolden.cases([("tiny", "vae.decode")]))
    func readsOldAttentionFilters(_ golden: PartGolden) throws {
        let old = [
            ".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.",
            ".to_out.0.": ".proj_attn.",
        ]
        let part = try TemporaryPart("tiny/vae", file: "diffusion_pytorch_model") { tensor in
            guard let (new, former) = old.first(where: { tensor.name.contains($0.key) }) else {
                return tensor
            }
            let name = tensor.name.replacingOccurrences(of: new, with: former)
            return tensor.renamed(
                name, shape: tensor.shape.count == 2 ? tensor.shape + [1, 1] : nil)
        }
        let compute = try UsableDevices.compute(golden.backend)
        let (vae, _) = try Autoencoders.load(folder: part.folder, on: compute)
        let image = try vae.decode(golden.image("latent", on: compute), on: compute)
        try golden.expect(image: image, "image", on: compute)
    }

    @Test(arguments: UsableDevices.names)
    func refusesTensorsThatDoNotFit(_ backend: String) throws {
        let part = try TemporaryPart("tiny/vae", file: "diffusion_pytorch_model") { tensor in
            switch tensor.name {
            case "quant_conv.bias": nil
            case "decoder.conv_in.bias": tensor.renamed(tensor.name, shape: [2, 8])
            default: tensor
            }
        }
        let compute = try UsableDevices.compute(backend)
        let error = #expect(throws: WeightsError.self) {
            try Autoencoders.load(folder: part.folder, on: compute)
        }
        let message = error?.message ?? ""
        #expect(message.contains("quant_conv.bias") && message.contains("decoder.conv_in.bias"))
        #expect(message.contains(part.folder))
    }

    @Test(arguments: UsableDevices.names)
    func refusesUnknownClasses(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend)
        for settings in [["_class_name": "VQModel"], ["_class_name": NSNull()]] as [[String: Any]] {
            let part = try TemporaryPart(
                "tiny/vae", file: "diffusion_pytorch_model", settings: settings)
            let error = #expect(throws: ModelError.self) {
                try Autoencoders.load(folder: part.folder, on: compute)
            }
            #expect(error?.message.contains("\(part.folder)/config.json") == true)
            #expect(error?.message.contains("\"_class_name\"") == true)
        }
    }

    @Test(arguments: UsableDevices.names)
    func refusesPicturesThatDoNotFit(_ backend: String) throws {
        let compute = try UsableDevices.compute(backend)
        let folder = Goldens.model("tiny").appendingPathComponent("vae").path
        let (vae, _) = try Autoencoders.load(folder: folder, on: compute)
        for shape in [[1, 60, 64, 3], [1, 64, 64, 4], [64, 64, 3], [1, 0, 64, 3]] {
            let image = try compute.persistent(shape, .f32)
            let error = #expect(throws: ModelError.self) { try vae.encode(image, on: compute) }
            #expect(error?.code == .mismatch)
            #expect(error?.message.contains("\(shape)") == true)
        }
        let latent = try compute.persistent([1, 8, 8, 3], .f32)
        #expect(throws: ModelError.self) { try vae.decode(latent, on: compute) }
    }
}
