import ArgumentParser
import Foundation
import PosedBackend
import PosedModels
import PosedPipeline
import PosedTensor

/// `posekit bench`: how long each part takes on each backend.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how long the parts of a model and whole pictures take.",
        discussion: """
            A preset has random weights of that size, Stable Diffusion's autoencoder and DINOv2-B; \
            xmdpt-S is X-MDPT of size S, whose source encoder is DINOv2-g. \
            velocity.S.b2 is one evaluation of two rows; velocity.S.ref.b2 attends to a reference too; \
            solve.S.heun.nfe15.b1 samples and decodes a picture in an open session; session.source and \
            session.pose encode. With --serve, serve.engine.c8 makes eight frames by the engine alone and \
            serve.frames.c8 by eight callers of the daemon's engine room. Medians of warmed-up runs. --only takes beginnings of names, or \
            patterns with *.

            EXAMPLES
              posekit bench --preset S --json bench.json
              posekit bench --preset B --batch 1,2,8 --backend cpu,blas --json bench.json
              posekit bench --model MODEL --only velocity,vae.decode
              posekit bench --preset S --reference --only 'velocity.*.ref'
            """)

    @Option(help: ArgumentHelp("The model's folder.", valueName: "folder"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Random weights of that size: \(BenchSubject.Preset.names.joined(separator: ", ")).",
            valueName: "size"))
    var preset: String?

    @Flag(help: "Give the preset reference attention.")
    var reference = false

    @Option(help: ArgumentHelp("The rows of batches.", valueName: "n,n,…"))
    var batch = CommaList<Int>([1, 2, 8])

    @Flag(help: "Measure what the daemon's engine room adds to the engine, and nothing else.")
    var serve = false

    @Option(help: ArgumentHelp("Measure only what begins so.", valueName: "name,…"))
    var only = CommaList<String>([])

    @Option(help: "Exactly so many runs of each, instead of --seconds.")
    var runs: Int?

    @Option(help: "Time for each, in seconds.")
    var seconds = 3.0

    @Option(help: ArgumentHelp("Where the results go, as JSON.", valueName: "bench.json"))
    var json: String?

    @OptionGroup(title: "Engine")
    var engine: EngineOptions

    @OptionGroup(title: "Sampler of whole pictures")
    var sampler: SamplerOptions

    func validate() throws {
        guard (model == nil) != (preset == nil) else {
            throw ValidationError("bench takes either --model or --preset")
        }
        if let preset, BenchSubject.Preset(preset, reference: reference) == nil {
            throw ValidationError(
                "--preset takes one of \(BenchSubject.Preset.names.joined(separator: ", "))"
                    + (reference ? ", and X-MDPT has no --reference" : "") + ", not \(preset)")
        }
        guard batch.values.allSatisfy((1...256).contains), !batch.values.isEmpty else {
            throw ValidationError("--batch takes numbers from 1 to 256")
        }
        guard runs.map((1...1_000_000).contains) ?? true, (0...3600).contains(seconds) else {
            throw ValidationError("--runs takes at least 1, --seconds 0 to 3600")
        }
        guard !reference || preset != nil else {
            throw ValidationError("--reference is for presets; a model's folder says it itself")
        }
    }

    func run() throws {
        if let json { try OutputFile.check(json) }
        let subject = try subject()
        var report = BenchReport()
        for placement in try placements() {
            try measure(subject, placement, into: &report)
        }
        guard !report.results.isEmpty else {
            throw PosekitError(
                .invalidInput,
                "nothing is called \(only.values.joined(separator: ", ")); there are "
                    + "velocity.\(subject.size), vae, \(subject.encoder), session and "
                    + "solve.\(subject.size)")
        }
        report.peakResidentBytes = BenchReport.peakResidentBytes()
        print("peak memory \(report.peakResidentBytes / 1_000_000) MB")
        if let json { try OutputFile.write(report, to: json) }
    }

    private func subject() throws -> BenchSubject {
        if let model { return try BenchSubject(path: model) }
        guard let preset = preset.flatMap({ BenchSubject.Preset($0, reference: reference) }) else {
            throw PosekitError(.invalidInput, "a model or a preset expected")
        }
        return BenchSubject(preset)
    }

    /// `cpu,blas` is two placements; with a part's name in it the whole is one.
    private func placements() throws -> [Placement] {
        guard let backend = engine.backend else { return [try engine.placement()] }
        if backend.contains("=") { return [try engine.placement()] }
        return try backend.split(separator: ",", omittingEmptySubsequences: false)
            .map { try Placement(parsing: String($0)) }
    }

    private func measure(
        _ subject: BenchSubject, _ placement: Placement, into report: inout BenchReport
    ) throws {
        let streams = try engine.streams(for: subject.folder, placement)
        let solvers = try sampler.registry()
        let all = [
            streams.vae, streams.sourceEncoder, streams.poseEncoder, streams.transformer,
        ]
        let names = Set(all.map(\.device.plugin.name))
        let run = BenchRun(
            batches: batch.values, patterns: only.values,
            placement: names.count > 1 ? placement.description : nil,
            stopwatch: Stopwatch(seconds: seconds, runs: runs))
        let parts = BenchParts(subject, on: streams)
        let session = try SessionBench(
            parts: parts, run: run, solvers: solvers,
            settings: try sampler.settings(subject.sampler, solvers))
        guard !serve else {
            try ServeBench(
                parts: parts, run: run, solvers: solvers, settings: session.settings
            ).frames()
            report.results += run.results
            for compute in all { try report.note(compute.device) }
            return
        }
        // The largest part comes first, while there is nothing else in memory.
        try VelocityBench(parts: parts, run: run).velocities()
        if !session.isWanted { parts.dropTransformer() }
        try PartBench(parts: parts, run: run).autoencoder()
        if !session.isWanted { parts.dropAutoencoder() }
        try PartBench(parts: parts, run: run).encoder()
        try session.sessions()
        report.results += run.results
        let place = run.placement ?? streams.transformer.device.plugin.name
        report.loadSeconds[place] = parts.loadSeconds.rounded(to: 3)
        for compute in all { try report.note(compute.device) }
    }
}
