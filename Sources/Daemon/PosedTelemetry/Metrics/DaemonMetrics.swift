/// The metrics of the daemon, by name. docs/operations.md says what each of them means to an operator.
package struct DaemonMetrics: Sendable {
    /// Frames by how they ended.
    package let frames: MetricFamily<Counter>
    /// From a frame's arrival to its picture.
    package let frameSeconds: MetricFamily<Histogram>
    /// The same of the first frame of a session, of a stream, and of requests with pictures of their own.
    package let firstFrameSeconds: MetricFamily<Histogram>
    /// Time of one velocity evaluation, of however many frames together.
    package let evaluationSeconds: MetricFamily<Histogram>
    /// Time of computing, by stage.
    package let stageSeconds: MetricFamily<Histogram>
    /// Time that a frame waited before anything was computed for it.
    package let queueSeconds: MetricFamily<Histogram>
    /// Rows of the velocity evaluations that ran together.
    package let batchRows: MetricFamily<Histogram>
    /// Lookups that found what they sought, by cache.
    package let cacheHits: MetricFamily<Counter>
    /// Lookups that found nothing, by cache.
    package let cacheMisses: MetricFamily<Counter>
    /// Sessions that are open.
    package let sessions: MetricFamily<Gauge>
    /// Bytes that open sessions hold.
    package let sessionBytes: MetricFamily<Gauge>
    /// 1 while the shared store of sessions can be reached, 0 otherwise.
    package let storeUp: MetricFamily<Gauge>
    /// Sessions whose latest change the shared store does not have yet.
    package let storeUnsaved: MetricFamily<Gauge>
    /// Frames of live streams that a newer pose replaced before they were computed.
    package let framesSuperseded: MetricFamily<Counter>
    /// Frames that wait.
    package let framesWaiting: MetricFamily<Gauge>
    /// Frames that are computed.
    package let framesRunning: MetricFamily<Gauge>
    /// Open streams.
    package let streams: MetricFamily<Gauge>
    /// Calls by method and status code.
    package let rpcRequests: MetricFamily<Counter>
    /// What is alive of the transport, by kind: calls, connections, buffers.
    package let rpcAlive: MetricFamily<Gauge>
    /// What all callers together hold, by resource.
    package let accountHeld: MetricFamily<Gauge>
    /// How often something was refused because a caller, or all of them, held as much as they may, by resource.
    package let accountRefused: MetricFamily<Gauge>
    /// Duration of calls, by method.
    package let rpcSeconds: MetricFamily<Histogram>
    /// Reloads of the configuration by outcome.
    package let reloads: MetricFamily<Counter>
    /// Looks of the watchdog at the compute loop that found it standing still.
    package let watchdogWithheld: MetricFamily<Counter>
    /// 1 while the daemon serves, 0 otherwise.
    package let ready: MetricFamily<Gauge>
    /// Always 1; the version is its label.
    package let buildInfo: MetricFamily<Gauge>

    /// The daemon's metrics in a registry.
    ///
    /// - Throws: ``TelemetryError`` where a name is in other use.
    package init(_ registry: MetricsRegistry) throws(TelemetryError) {
        frames = try registry.counter(
            "posed_frames_total", help: "Frames by how they ended.", labels: ["outcome"])
        frameSeconds = try registry.histogram(
            "posed_frame_seconds", help: "Time from a frame's arrival to its picture.")
        firstFrameSeconds = try registry.histogram(
            "posed_first_frame_seconds",
            help: "Time from arrival to picture of the first frame of a session or a stream.")
        evaluationSeconds = try registry.histogram(
            "posed_evaluation_seconds",
            help: "Time of one velocity evaluation, of however many frames together.")
        stageSeconds = try registry.histogram(
            "posed_stage_seconds", help: "Time of computing, by stage.", labels: ["stage"])
        queueSeconds = try registry.histogram(
            "posed_queue_seconds", help: "Time that a frame waited before its first computation.")
        batchRows = try registry.histogram(
            "posed_batch_rows", help: "Rows of the velocity evaluations that ran together.",
            bounds: Histogram.rows)
        cacheHits = try registry.counter(
            "posed_cache_hits_total", help: "Lookups that found what they sought, by cache.",
            labels: ["cache"])
        cacheMisses = try registry.counter(
            "posed_cache_misses_total", help: "Lookups that found nothing, by cache.",
            labels: ["cache"])
        sessions = try registry.gauge("posed_sessions", help: "Open sessions.")
        sessionBytes = try registry.gauge(
            "posed_session_bytes", help: "Bytes that open sessions hold.")
        (storeUp, storeUnsaved) = try Self.store(registry)
        framesSuperseded = try registry.counter(
            "posed_frames_superseded_total",
            help: "Frames of live streams that a newer pose replaced before they were computed.")
        framesWaiting = try registry.gauge("posed_frames_waiting", help: "Frames that wait.")
        framesRunning = try registry.gauge(
            "posed_frames_running", help: "Frames that are computed.")
        streams = try registry.gauge("posed_streams", help: "Open streams.")
        rpcAlive = try registry.gauge(
            "posed_rpc_alive", help: "What is alive of the transport, by kind.", labels: ["kind"])
        accountHeld = try registry.gauge(
            "posed_account_held", help: "What all callers together hold, by resource.",
            labels: ["resource"])
        accountRefused = try registry.gauge(
            "posed_account_refused",
            help: "Refusals since the start because of a bound of callers, by resource.",
            labels: ["resource"])
        rpcRequests = try registry.counter(
            "posed_rpc_requests_total", help: "Calls by method and status code.",
            labels: ["method", "code"])
        rpcSeconds = try registry.histogram(
            "posed_rpc_seconds", help: "Duration of calls, by method.", labels: ["method"])
        reloads = try registry.counter(
            "posed_config_reloads_total", help: "Reloads of the configuration by outcome.",
            labels: ["outcome"])
        watchdogWithheld = try registry.counter(
            "posed_watchdog_withheld_total",
            help: "Looks of the watchdog at the compute loop that found it standing still.")
        ready = try registry.gauge(
            "posed_ready", help: "1 while the daemon serves requests, 0 otherwise.")
        buildInfo = try registry.gauge(
            "posed_build_info", help: "Always 1; the version is a label.", labels: ["version"])
    }

    /// The metrics of the shared store of sessions.
    private static func store(
        _ registry: MetricsRegistry
    ) throws(TelemetryError) -> (up: MetricFamily<Gauge>, unsaved: MetricFamily<Gauge>) {
        (
            try registry.gauge(
                "posed_store_up",
                help: "1 while the shared store of sessions can be reached, 0 otherwise."),
            try registry.gauge(
                "posed_store_unsaved_sessions",
                help: "Sessions whose latest change the shared store does not have yet.")
        )
    }
}
