internal import PosedServing
internal import PosedTelemetry

/// Counts for Prometheus what the engine room does.
struct EngineMetrics: ServingMetrics {
    private let metrics: DaemonMetrics
    private let batchRows: Histogram
    private let queueSeconds: Histogram
    private let frameSeconds: Histogram
    private let firstFrameSeconds: Histogram
    private let evaluationSeconds: Histogram

    /// Counts in these metrics.
    init(_ metrics: DaemonMetrics) {
        self.metrics = metrics
        batchRows = metrics.batchRows()
        queueSeconds = metrics.queueSeconds()
        frameSeconds = metrics.frameSeconds()
        firstFrameSeconds = metrics.firstFrameSeconds()
        evaluationSeconds = metrics.evaluationSeconds()
    }

    func frame(of owner: String, outcome: String, total: Duration, queue: Duration) {
        metrics.frames(outcome).increment()
        if outcome == "superseded" { metrics.framesSuperseded().increment() }
        guard outcome == "completed" else { return }
        frameSeconds.observe(total)
        queueSeconds.observe(queue)
    }

    func stage(_ name: String, _ duration: Duration) {
        metrics.stageSeconds(name).observe(duration)
    }

    func firstFrame(_ total: Duration) { firstFrameSeconds.observe(total) }

    func batch(rows: Int, _ duration: Duration) {
        batchRows.observe(Double(rows))
        evaluationSeconds.observe(duration)
    }

    func cache(_ name: String, hit: Bool) {
        (hit ? metrics.cacheHits : metrics.cacheMisses)(name).increment()
    }
}
