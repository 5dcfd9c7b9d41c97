import ArgumentParser
import Foundation
import PosedBackend
import PosedEvaluation
import PosedOptions
import PosedPipeline
import PosedSolvers
import PosedTensor
import PosedVision

/// `posekit eval`: a model's pictures of a data set's pairs, measured against the targets.
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a model on pairs of pictures of one person.",
        discussion: """
            A data set is a folder with pairs.jsonl, a line for each pair: {"source": "a.png", \
            "target": "b.png", "keypoints": [[x, y, confidence], …18], "mask": "m.png"}, keypoints in \
            pixels of the target, the mask optional; or DeepFashion as PIDM has it, with test_pairs.txt, \
            img/ and pose/. Measured against the target are the model's picture (output), the source \
            given as the answer (copy), and the target through the autoencoder (reconstruction). Pair i, \
            counted from 0, is sampled with the seed + i, from 0 on where neither --seed nor the model \
            says. LPIPS and the features of Fréchet distances are computed in float32.

            What is measured is written to report.json.partial as it comes: an evaluation that was \
            interrupted goes on where it was. A pair that fails is listed in the report, the rest \
            counts, and the exit status is 1.

            A folder for --lpips has config.json, {"net": "alex"} or {"net": "vgg"}, and \
            model.safetensors; one for --fid has config.json, {"_class_name": "FIDInceptionV3"}, and \
            model.safetensors; one for --fd-dinov2 is a DINOv2 as transformers saves it.

            EXAMPLES
              posekit eval --model MODEL --data pairs --json report.json
              posekit eval --model MODEL --data pairs --limit 50 --nfe 16 --guidance 1.1 \
            --csv pairs.csv --sheet sheet.png --json report.json
              posekit eval --model MODEL --data deepfashion --lpips lpips-alex --fid fid-inception \
            --batch 16 --json report.json
            """)

    @Option(help: ArgumentHelp("The model's folder.", valueName: "folder"))
    var model: String

    @Option(help: ArgumentHelp("The data set's folder.", valueName: "folder"))
    var data: String

    @Option(help: ArgumentHelp("Where the summary goes.", valueName: "report.json"))
    var json: String

    @Option(help: "Only the first so many pairs.")
    var limit: Int?

    @Option(help: ArgumentHelp("Where the measures of each pair go.", valueName: "pairs.csv"))
    var csv: String?

    @Option(
        help: ArgumentHelp(
            "Where a sheet of source, pose, output and target goes.", valueName: "sheet.png"))
    var sheet: String?

    @Option(help: ArgumentHelp("Rows of the sheet, from the first pair on.", valueName: "n"))
    var sheetRows = 16

    @Option(help: ArgumentHelp("Weights of LPIPS.", valueName: "folder"))
    var lpips: String?

    @Option(help: ArgumentHelp("Weights of FID's Inception.", valueName: "folder"))
    var fid: String?

    @Option(
        name: .customLong("fd-dinov2"),
        help: ArgumentHelp("A DINOv2 for a Fréchet distance of its features.", valueName: "folder"))
    var dinov2: String?

    @Option(
        help: ArgumentHelp(
            "Another model, whose autoencoder makes the reconstructions.", valueName: "folder"))
    var reconstruction: String?

    @Option(help: ArgumentHelp("Pairs that are sampled at a time.", valueName: "n"))
    var batch = 8

    @Option(help: ArgumentHelp("The pictures' size; without it the model's.", valueName: "WxH"))
    var size: PictureSize?

    @OptionGroup(title: "Sampler")
    var sampler: SamplerOptions

    @OptionGroup(title: "Engine")
    var engine: EngineOptions

    func validate() throws {
        guard limit.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--limit takes at least 1")
        }
        guard sheetRows >= 1 else { throw ValidationError("--sheet-rows takes at least 1") }
        guard (1...256).contains(batch) else { throw ValidationError("--batch takes 1 to 256") }
    }

    func run() throws {
        for path in [json, csv, sheet].compactMap({ $0 }) { try OutputFile.check(path) }
        let pairs = try PairSet(folder: data, limit: limit)
        let solvers = try sampler.registry()
        let folder = try ModelFolder(path: model)
        var settings = try sampler.settings(folder.sampler, solvers)
        settings.seed = sampler.seed ?? folder.sampler.seed ?? 0
        Terminal.progress("loading \(model)")
        let streams = try engine.streams(for: folder)
        let pipeline = try Pipeline(
            try PoseModel.load(folder: model, on: streams), solvers: solvers,
            size: size.map { ($0.width, $0.height) })
        if sheet != nil {
            try ContactSheet().check(
                rows: min(sheetRows, pairs.pairs.count), of: 4, width: pipeline.width,
                height: pipeline.height)
        }
        let reconstructor = try reconstruction.map { path in
            Terminal.progress("loading \(path)")
            return try Pipeline(
                try PoseModel.load(folder: path, on: streams),
                size: (pipeline.width, pipeline.height))
        }
        let maker = PairMaker(
            pipeline, reconstructor: reconstructor, data: pairs, settings: settings)
        let described = describe(settings, pipeline)
        let evaluation = Evaluation(
            pairs: pairs, maker: maker, metrics: try learnedMetrics(streams), batch: batch,
            sheetRows: sheet == nil ? 0 : sheetRows)
        let report = try evaluation.run(report: json, settings: described)
        if let csv { try ScoreTable(evaluation.scores).write(to: csv) }
        if let sheet { try ContactSheet().image(rows: evaluation.rows).writePNG(to: sheet) }
        print(Self.table(report))
        if let first = report.failed.first {
            throw PosekitError(
                .invalidInput,
                "\(report.failed.count) of \(pairs.pairs.count) pairs failed, the first: \(first.error)"
            )
        }
    }

    /// LPIPS and the networks of Fréchet distances, where their folders are given.
    private func learnedMetrics(_ streams: PartStreams) throws -> PairMetrics {
        var perceptual: LPIPS?
        var networks: [any PictureFeatures] = []
        if let lpips {
            let compute = try Compute(device: streams.vae.device, precision: .f32)
            perceptual = try LPIPS(folder: lpips, on: compute)
        }
        if let fid {
            let compute = try Compute(device: streams.sourceEncoder.device, precision: .f32)
            networks.append(try InceptionFeatures(folder: fid, on: compute))
        }
        if let dinov2 {
            let compute = try Compute(device: streams.sourceEncoder.device, precision: .f32)
            networks.append(try DINOv2Features(folder: dinov2, on: compute))
        }
        return PairMetrics(lpips: perceptual, networks: networks)
    }

    private func describe(_ settings: SamplingSettings, _ pipeline: Pipeline) -> [String: Setting] {
        let streams = pipeline.model.streams
        let names = [
            ("vae", streams.vae), ("source_encoder", streams.sourceEncoder),
            ("pose_encoder", streams.poseEncoder),
        ]
        var all: [String: Setting] = [
            "model": .text(model), "data": .text(data), "solver": .text(settings.solver),
            "guidance": .number(settings.guidance), "time_shift": .number(settings.timeShift),
            "seed": Int(exactly: settings.seed).map(Setting.integer) ?? .text("\(settings.seed)"),
            "width": .integer(pipeline.width),
            "height": .integer(pipeline.height),
            "backend": .text(streams.transformer.device.plugin.name),
            "dtype": .text(streams.transformer.products.name),
        ]
        switch settings.budget {
        case .steps(let steps): all["steps"] = .integer(steps)
        case .evaluations(let nfe): all["nfe"] = .integer(nfe)
        }
        for (part, compute) in names where compute !== streams.transformer {
            all[part + "_backend"] = .text(compute.device.plugin.name)
        }
        let folders = [
            ("lpips", lpips), ("fid", fid), ("fd_dinov2", dinov2),
            ("reconstruction", reconstruction),
        ]
        for case (let key, let folder?) in folders { all[key] = .text(folder) }
        return all
    }

    /// The means, a line for each metric.
    private static func table(_ report: EvaluationReport) -> String {
        func cell(_ text: String) -> String {
            String(repeating: " ", count: max(0, 16 - text.count)) + text
        }
        let header =
            "\(report.pairs) pairs".padding(toLength: 20, withPad: " ", startingAt: 0)
            + Subject.allCases.map { cell($0.rawValue) }.joined()
        let lines = Metric.allCases.compactMap { metric -> String? in
            guard let values = report.metrics[metric.rawValue] else { return nil }
            let cells = Subject.allCases.map { subject in
                cell(values[subject.rawValue].map { String(format: "%.4f", $0) } ?? "–")
            }
            return metric.rawValue.padding(toLength: 20, withPad: " ", startingAt: 0)
                + cells.joined()
        }
        return ([header] + lines).joined(separator: "\n")
    }
}
