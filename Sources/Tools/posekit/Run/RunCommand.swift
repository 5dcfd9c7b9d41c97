import ArgumentParser
import PosedOptions
import PosedPipeline
import PosedWeights

/// `posekit run PART`: one part of a model, tensors in and tensors out.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Compute one part of a model on tensors of a safetensors file.",
        discussion: """
            Only the part is loaded. Tensors of pictures and latents are channels-first.

              PART            reads                                  writes
              vae.encode      image [N, 3, H, W] in [-1, 1]          latent [N, C, h, w]
              vae.decode      latent                                 image, not clamped
              source_encoder  pixel_values [N, 3, 224, 224]          last_hidden_state
              pose_encoder    the same                               the same
              condition       z_s, z_p, g_s, g_p                     cond [N, D]
              velocity        z, t [N], z_s, z_p, cond               velocity [N, C, h, w]
              solve           z0, z_s, z_p, cond                     latent [N, C, h, w]

            z_s may be [N, S, C, h, w] and g_s [N, S, tokens, features] for S source pictures. \
            velocity without z_s, z_p and cond is that of guidance's empty branch. The sampler's \
            options are those of solve.

            EXAMPLES
              posekit run vae.encode --model MODEL --in image.safetensors --out latent.safetensors
              posekit run velocity --model MODEL --in x.safetensors --out y.safetensors --backend blas
              posekit run solve --model MODEL --in z.safetensors --out y.safetensors --nfe 16
            """)

    @Argument(help: "The part.")
    var part: Part

    @Option(help: ArgumentHelp("The model's folder.", valueName: "folder"))
    var model: String

    @Option(name: .customLong("in"), help: ArgumentHelp("The inputs.", valueName: "file"))
    var input: String

    @Option(help: ArgumentHelp("Where the output goes.", valueName: "file"))
    var out: String

    @OptionGroup(title: "Engine")
    var engine: EngineOptions

    @OptionGroup(title: "Sampler")
    var sampler: SamplerOptions

    func run() throws {
        try OutputFile.check(out)
        let folder = try ModelFolder(path: model)
        let compute = try engine.stream(for: part.place)
        let runner = PartRunner(folder: folder, compute: compute, input: input, sampler: sampler)
        let result = try runner.run(part)
        var writer = SafetensorsWriter()
        try writer.add(part.output, shape: result.shape, floats: result.values)
        try writer.write(to: out)
        Terminal.clearProgress()
    }
}
