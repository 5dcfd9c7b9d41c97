import PosedBackend
import PosedModels
import PosedOptions
import PosedPipeline
import PosedTensor
import PosedVision

/// Measures the autoencoder and the image encoder: a tensor on the device in, one out, captured.
struct PartBench {
    let parts: BenchParts
    let run: BenchRun

    /// `vae.encode.256` and `vae.decode.256`.
    func autoencoder() throws {
        let subject = parts.subject
        let names = ["encode", "decode"].map { "vae.\($0).\(subject.picture)" }
        guard names.contains(where: run.wants) else { return }
        let model = try parts.autoencoder()
        let compute = parts.streams.vae
        let size = subject.transformer.latentSize
        let latent = [1, size.height, size.width, model.latentChannels]
        let pixels = [1, size.height * subject.downsampling, size.width * subject.downsampling, 3]
        try measure(names[0], pixels, latent, on: compute) { try model.encode($0, on: compute) }
        try measure(names[1], latent, pixels, on: compute) { try model.decode($0, on: compute) }
    }

    /// `dinov2-b.224`.
    func encoder() throws {
        let subject = parts.subject
        // The picture's size is the preprocessor's, which is read with the encoder.
        guard run.mayWant(subject.encoder + ".") else { return }
        let encoder = try parts.sourceEncoder()
        let compute = parts.streams.sourceEncoder
        let size = subject.transformer.latentSize
        let (width, height) = encoder.preprocessor.outputSize(
            width: size.width * subject.downsampling, height: size.height * subject.downsampling)
        let side = width == height ? "\(width)" : "\(width)x\(height)"
        let model = try encoder.model()
        let positions = try model.prepare(height: height, width: width, on: compute)
        let tokens = [1, model.tokens(height: height, width: width), model.features]
        try withExtendedLifetime(positions) {
            try measure("\(subject.encoder).\(side)", [1, height, width, 3], tokens, on: compute) {
                try model($0, on: compute)
            }
        }
    }

    private func measure(
        _ name: String, _ shape: [Int], _ result: [Int], on compute: Compute,
        _ forward: (Tensor) throws -> Tensor
    ) throws {
        guard run.wants(name) else { return }
        Terminal.progress(name)
        let input = try compute.tensor(BenchRun.noise(shape.reduce(1, *)), shape)
        let output = try compute.persistent(result, .f32)
        let graph = try compute.capture { try compute.copy(try forward(input), to: output) }
        try run.measure(name, on: compute) {
            try compute.launch(graph)
            try compute.synchronize()
        }
    }
}
