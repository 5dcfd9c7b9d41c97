import ArgumentParser
import PosedBackend
import PosedBase
import PosedModels
import PosedOptions
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedVision
import PosedWeights

/// `posekit synthesize`: a source picture and a pose in, the person in that pose out.
struct SynthesizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthesize",
        abstract: "Paint the person of a picture in a new pose.",
        discussion: """
            A pose is the JSON of OpenPose, MMPose, MediaPipe and other detectors, a .pose file, a list \
            of joints [x, y, confidence], a PIDM or X-MDPT text file, or a picture of the skeleton. \
            Joints are in pixels of the picture that is made, of --pose-size, or normalized. Several sources are pictures of one person. With several poses \
            --out is a folder, or has {} where the pose's name goes; the source is encoded once and \
            every pose starts from the same noise.

            EXAMPLES
              posekit synthesize --model MODEL --source a.png --pose p.json --out out.png
              posekit synthesize --model MODEL --source photo.jpg --fit crop --box 210,40,300,620 \
            --pose p.json --out out.jpg
              posekit synthesize --model MODEL --source a.png --pose p.json --out out.png \
            --solver heun --nfe 16 --guidance 1.1 --seed 7
              posekit synthesize --model MODEL --source front.png --source back.png \
            --pose one.json --pose two.json --out pictures
              posekit synthesize --model MODEL --source a.png --pose p.png --out out.png \
            --backend vae=cpu,transformer=cuda --json
            """)

    @Option(help: ArgumentHelp("The model's folder.", valueName: "folder"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "A picture of the person, PNG, JPEG or WebP; may be repeated.", valueName: "a.jpg"))
    var source: [String]

    @OptionGroup(title: "Source")
    var framing: FramingOptions

    @Option(help: ArgumentHelp("The pose; may be repeated.", valueName: "p.json"))
    var pose: [String]

    @OptionGroup(title: "Poses")
    var reading: PoseOptions

    @OptionGroup(title: "Poses")
    var smoothing: SmoothingOptions

    @Option(
        help: ArgumentHelp(
            "Where the picture goes; a JPEG where the name ends in .jpg, else a PNG.",
            valueName: "out.png"))
    var out: String

    @Option(help: ArgumentHelp("The quality of a JPEG, 1 to 100.", valueName: "n"))
    var quality = Image.defaultQuality

    @OptionGroup(title: "Sampler")
    var sampler: SamplerOptions

    @Option(
        help: ArgumentHelp(
            "Noise [C, h, w] to begin with, instead of the seed's.", valueName: "file"))
    var noise: String?

    @Option(help: ArgumentHelp("The picture's size; without it the model's.", valueName: "WxH"))
    var size: PictureSize?

    @Option(
        help: ArgumentHelp(
            "Also write the latents, [poses, C, h, w], as safetensors.", valueName: "file"))
    var saveLatent: String?

    @OptionGroup(title: "Engine")
    var engine: EngineOptions

    @Flag(help: "Print what was done as JSON.")
    var json = false

    func validate() throws {
        guard (1...100).contains(quality) else {
            throw ValidationError("--quality takes 1 to 100, not \(quality)")
        }
    }

    func run() throws {
        let sources = try Sources(source, framing)
        let poses = try PoseFiles.read(
            pose, reading.reading, retargeter: try reading.retarget.flatMap(sources.retargeter),
            smooth: smoothing.smooth)
        let outputs = try PoseOutputs(poses: poses.map { ($0.file, $0.name) }, out: out)
        if let saveLatent { try OutputFile.check(saveLatent) }
        let solvers = try sampler.registry()
        let folder = try ModelFolder(path: model)
        let settings = try sampler.settings(folder.sampler, solvers)

        var clock = StageClock()
        let pipeline = try clock.time("load") { try load(solvers) }
        let values = try noise.map { try NoiseFile.read($0, for: pipeline) }
        if sources.count > 1, !pipeline.model.transformer.form.usesEverySource {
            Terminal.note("of \(sources.count) sources this model counts the first alone")
        }
        Terminal.progress("encoding the source")
        let (framed, shown) = try sources.framed(for: pipeline)
        let source = try clock.time("source") { try pipeline.source(framed) }
        var pictures: [SynthesisReport.Picture] = []
        var latents: [HostTensor] = []
        for (input, names) in zip(poses, outputs.pairs) {
            // Fitted poses are measured in the whole source picture.
            let pose = reading.retarget == nil ? input.pose : input.pose.seen(in: shown)
            let made = try picture(of: pose, source, settings, values, on: pipeline, names)
            pictures.append(made.report)
            latents.append(made.latent)
        }
        if let saveLatent { try Self.write(latents, to: saveLatent) }
        let report = report(settings, pipeline, clock, pictures)
        Terminal.say("seed \(settings.seed); \(clock.summary)")
        if json { print(try WholeFile.text(json: report)) }
    }

    private func load(_ solvers: SolverRegistry) throws -> Pipeline {
        Terminal.progress("loading \(model)")
        let streams = try engine.streams(for: ModelFolder(path: model))
        let loaded = try PoseModel.load(folder: model, on: streams)
        for report in loaded.reports { Terminal.say(report.description) }
        return try Pipeline(loaded, solvers: solvers, size: size.map { ($0.width, $0.height) })
    }

    private func picture(
        of input: PoseInput, _ source: SourceCondition, _ settings: SamplingSettings,
        _ noise: [Float]?, on pipeline: Pipeline, _ names: (pose: String, out: String)
    ) throws -> (report: SynthesisReport.Picture, latent: HostTensor) {
        var clock = StageClock()
        Terminal.progress("encoding the pose")
        let condition = try clock.time("pose") {
            do {
                return try pipeline.condition(source, try pipeline.pose(input))
            } catch let error as VisionError {
                throw VisionError(
                    error.code, "\(names.pose): \(error.message)", cause: error.cause)
            }
        }
        var evaluations = 0
        let outcome = try clock.time("sample") {
            try pipeline.sample(
                [condition], settings, noise: noise,
                isCancelled: {
                    evaluations += 1
                    Terminal.progress("sampling: evaluation \(evaluations)")
                    return false
                })
        }
        let compute = pipeline.model.streams.transformer
        let latent = try compute.host(outcome.latents).channelsFirst()
        Terminal.progress("decoding")
        let image = try clock.time("decode") {
            try pipeline.decode(outcome.latents, of: [condition])[0]
        }
        try clock.time("write") { try image.write(to: names.out, quality: quality) }
        Terminal.say("\(names.out): NFE \(outcome.evaluations), \(clock.summary)")
        let report = SynthesisReport.Picture(
            pose: names.pose, out: names.out, nfe: outcome.evaluations,
            milliseconds: clock.milliseconds)
        return (report, latent[0])
    }

    private static func write(_ latents: [HostTensor], to path: String) throws {
        let all = HostTensor(stacking: latents)
        var writer = SafetensorsWriter()
        try writer.add("latent", shape: all.shape, floats: all.values)
        try writer.write(to: path)
    }

    private func report(
        _ settings: SamplingSettings, _ pipeline: Pipeline, _ clock: StageClock,
        _ pictures: [SynthesisReport.Picture]
    ) -> SynthesisReport {
        let streams = pipeline.model.streams
        let backends = Placement.Part.allCases.map { part in
            (part.rawValue, "\(streams[part].device.plugin.name) \(streams.type(of: part).name)")
        }
        return SynthesisReport(
            seed: settings.seed, solver: settings.solver, guidance: settings.guidance,
            timeShift: settings.timeShift, lastStepFirstOrder: settings.lastStepFirstOrder,
            width: pipeline.width, height: pipeline.height,
            backends: Dictionary(uniqueKeysWithValues: backends),
            parts: pipeline.model.reports.map(SynthesisReport.Part.init),
            milliseconds: clock.milliseconds, pictures: pictures)
    }
}
