import PosedEvaluation
import PosedOptions
import PosedPipeline
import PosedVision

/// An evaluation under way: pairs are measured batch by batch, and what is measured is kept as it comes.
final class Evaluation {
    private let pairs: PairSet
    private let maker: PairMaker
    private let metrics: PairMetrics
    private let batch: Int
    private let sheetRows: Int
    private var measured: [Int: PairScores] = [:]
    private var failures: [Int: any Error] = [:]
    private var pictures: [Int: PairMaker.Pictures] = [:]

    /// - Parameter sheetRows: How many pairs, from the first on, are shown.
    init(
        pairs: PairSet, maker: PairMaker, metrics: PairMetrics, batch: Int, sheetRows: Int
    ) {
        self.pairs = pairs
        self.maker = maker
        self.metrics = metrics
        self.batch = batch
        self.sheetRows = sheetRows
    }

    /// The measures of each pair, in the data set's order.
    var scores: [PairScores] { measured.sorted { $0.key < $1.key }.map(\.value) }

    /// Source, pose, output and target of the pairs that are shown.
    var rows: [[Image]] {
        pictures.sorted { $0.key < $1.key }.compactMap { _, shown in
            guard let source = shown.subjects[.copy], let output = shown.subjects[.output] else {
                return nil
            }
            return [source, shown.pose, output, shown.target]
        }
    }

    /// Measures all pairs that an interrupted run has not, and writes the report.
    ///
    /// - Throws: `PosekitError` where no pair can be measured; `EvaluationError` for the files; `BackendError`
    ///   when a device fails.
    func run(report path: String, settings: [String: Setting]) throws -> EvaluationReport {
        let journal = try EvaluationJournal(report: path, settings: settings) { result in
            try take(result)
        }
        if !measured.isEmpty {
            Terminal.say("\(journal.path): going on after \(measured.count) pairs")
        }
        let open = pairs.pairs.indices.filter { measured[$0] == nil || $0 < sheetRows }
        let bar = ProgressBar("pairs", total: open.count)
        for start in stride(from: 0, to: open.count, by: batch) {
            let indices = Array(open[start..<min(start + batch, open.count)])
            for (index, made) in zip(indices, try maker.make(indices)) {
                try measure(made, at: index, journal)
            }
            bar.show(start + indices.count)
        }
        Terminal.clearProgress()
        guard !measured.isEmpty else {
            journal.remove()
            let reason = failures.min { $0.key < $1.key }.map { ErrorSentence.text($0.value) }
            throw PosekitError(
                .invalidInput,
                "none of \(pairs.pairs.count) pairs could be measured, the first: \(reason ?? "")")
        }
        let failed = failures.sorted { $0.key < $1.key }.map { index, error in
            EvaluationReport.Failure(
                source: pairs.pairs[index].source, target: pairs.pairs[index].target,
                error: ErrorSentence.text(error))
        }
        var report = EvaluationReport(scores, failed: failed, settings: settings)
        try metrics.finish(&report)
        try report.write(to: path)
        journal.remove()
        return report
    }

    /// Takes a result of an interrupted run.
    private func take(_ result: PairResult) throws {
        guard pairs.pairs.indices.contains(result.index) else { return }
        let pair = pairs.pairs[result.index]
        guard pair.source == result.scores.source, pair.target == result.scores.target else {
            throw EvaluationError(
                .unreadableData,
                "pair \(result.index) was of \(result.scores.source) and \(result.scores.target) when the "
                    + "evaluation was interrupted, and is of \(pair.source) and \(pair.target) now")
        }
        guard measured.updateValue(result.scores, forKey: result.index) == nil else { return }
        try metrics.add(result)
    }

    private func measure(
        _ made: Result<PairMaker.Pictures, any Error>, at index: Int, _ journal: EvaluationJournal
    ) throws {
        do {
            let shown = try made.get()
            if index < sheetRows { pictures[index] = shown }
            guard measured[index] == nil else { return }
            let result = try metrics.measure(shown, of: pairs.pairs[index], at: index)
            try metrics.add(result)
            try journal.append(result)
            measured[index] = result.scores
        } catch {
            guard error is VisionError || error is PipelineError || error is EvaluationError,
                (error as? EvaluationError)?.code != .unwritableFile
            else { throw error }
            failures[index] = error
            Terminal.say(
                "\(pairs.pairs[index].target): \(ErrorSentence.text(error))")
        }
    }
}
