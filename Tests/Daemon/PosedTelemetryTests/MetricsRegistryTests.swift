internal import CoreMetrics
internal import PosedBase
internal import PosedTelemetry
internal import Testing

@Suite("The metrics")
struct MetricsRegistryTests {
    @Test("appear as Prometheus reads them")
    func exposition() throws {
        let registry = MetricsRegistry()
        let frames = try registry.counter(
            "posed_frames_total", help: "Frames.\nBy \\ outcome", labels: ["outcome", "why"])
        frames("delivered").increment()
        frames("late", "a \"b\"\\\n").increment(by: 2.5)
        try registry.gauge("posed_sessions", help: "Open \"sessions\".")().set(-3)
        let times = try registry.histogram("posed_seconds", help: "Times.", bounds: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { times().observe(value) }
        try registry.observe("posed_up", .gauge, help: "Up.") { 1 }
        try registry.observe("posed_unknown", .gauge, help: "Not there.") { nil }
        #expect(
            registry.exposition() == """
                # HELP posed_frames_total Frames.\\nBy \\\\ outcome
                # TYPE posed_frames_total counter
                posed_frames_total{outcome="delivered"} 1
                posed_frames_total{outcome="late",why="a \\"b\\"\\\\\\n"} 2.5
                # HELP posed_seconds Times.
                # TYPE posed_seconds histogram
                posed_seconds_bucket{le="0.1"} 2
                posed_seconds_bucket{le="1"} 3
                posed_seconds_bucket{le="+Inf"} 4
                posed_seconds_sum 7.65
                posed_seconds_count 4
                # HELP posed_sessions Open "sessions".
                # TYPE posed_sessions gauge
                posed_sessions -3
                # HELP posed_up Up.
                # TYPE posed_up gauge
                posed_up 1

                """)
    }

    @Test("are the same when asked for twice, and refused when asked for differently")
    func conflicts() throws {
        let registry = MetricsRegistry()
        let first = try registry.counter("a_total", help: "A.", labels: ["x"])
        #expect(try registry.counter("a_total", help: "A.", labels: ["x"]) === first)
        let conflicts: [() throws -> Void] = [
            { _ = try registry.counter("a_total", help: "A.", labels: ["y"]) },
            { _ = try registry.gauge("a_total", help: "A.", labels: ["x"]) },
            { _ = try registry.histogram("a_total", help: "A.", labels: ["x"]) },
            { try registry.observe("a_total", .counter, help: "A.") { 1 } },
        ]
        for conflict in conflicts {
            let error = #expect(throws: TelemetryError.self) { try conflict() }
            #expect(error?.code == .conflict)
        }
    }

    @Test("have names that Prometheus reads", arguments: ["", "1a", "a-b", "a b", "é", "a\n"])
    func names(name: String) {
        let registry = MetricsRegistry()
        #expect(throws: TelemetryError.self) { try registry.gauge(name, help: "") }
        #expect(throws: TelemetryError.self) { try registry.gauge("a", help: "", labels: [name]) }
        #expect(throws: TelemetryError.self) {
            try registry.observe(name, .gauge, help: "") { nil }
        }
    }

    @Test("have labels that are theirs to have, and bounds that rise")
    func labels() throws {
        let registry = MetricsRegistry()
        for labels in [["__name"], ["le"], ["a", "a"], ["a:b"]] {
            let error = #expect(throws: TelemetryError.self) {
                try registry.histogram("h", help: "", labels: labels)
            }
            #expect(error?.code == .invalidName)
        }
        for bounds in [[], [1, 1], [2, 1], [1, .infinity], [.nan]] as [[Double]] {
            let error = #expect(throws: TelemetryError.self) {
                try registry.histogram("h", help: "", bounds: bounds)
            }
            #expect(error?.code == .invalidBuckets)
        }
    }

    @Test("never fall where they only rise")
    func counters() throws {
        let counter = try MetricsRegistry().counter("a_total", help: "")()
        for amount in [-1, .nan, .infinity, 0] { counter.increment(by: amount) }
        #expect(counter.value == 0)
        counter.increment(by: 0.5)
        #expect(counter.value == 0.5)
    }

    @Test("count values at and above the bounds, and none that is no number")
    func histograms() throws {
        let histogram = try MetricsRegistry().histogram("h", help: "", bounds: [1, 2])()
        for value in [1, 2, 2.0000001, -.infinity, .nan] { histogram.observe(value) }
        #expect(histogram.count == 4)
        histogram.observe(Duration.milliseconds(1500))
        #expect(histogram.count == 5)
    }

    @Test("lose nothing to threads")
    func threads() async throws {
        let registry = MetricsRegistry()
        let counter = try registry.counter("a_total", help: "", labels: ["x"])
        let histogram = try registry.histogram("h", help: "")
        let gauge = try registry.gauge("g", help: "")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter("1").increment()
                        histogram().observe(0.5)
                        gauge().add(1)
                        gauge().add(-1)
                    }
                }
            }
            group.addTask { for _ in 0..<20 { _ = registry.exposition() } }
        }
        #expect(counter("1").value == 8000)
        #expect(histogram().count == 8000)
        #expect(histogram().sum == 4000)
        #expect(gauge().value == 0)
    }

    @Test("bound the series that a stranger can make")
    func cardinality() throws {
        let registry = MetricsRegistry()
        let family = try registry.counter("a_total", help: "", labels: ["method", "code"])
        for index in 0..<2000 { family("m\(index)", "OK").increment() }
        let lines = registry.exposition().split(separator: "\n")
        #expect(lines.count == 2 + MetricFamily<PosedTelemetry.Counter>.limit + 1)
        let other = 2000 - MetricFamily<PosedTelemetry.Counter>.limit
        #expect(lines.contains("a_total{method=\"other\",code=\"other\"} \(other)"))
        family("m0", "OK").increment()  // the early ones go on counting for themselves
        #expect(family("m0", "OK").value == 2)
    }

    @Test("write numbers as the format wants them")
    func numbers() throws {
        let registry = MetricsRegistry()
        let gauge = try registry.gauge("g", help: "")
        let values: [(Double, String)] = [
            (0, "0"), (-0.5, "-0.5"), (1e300, "1e+300"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (.nan, "NaN"), (9_007_199_254_740_992, "9007199254740992.0"),
        ]
        for (value, text) in values {
            gauge().set(value)
            #expect(registry.exposition().hasSuffix("\ng \(text)\n"))
        }
    }

    @Test("of the daemon and of the process are all there")
    func catalogue() throws {
        let registry = MetricsRegistry()
        let metrics = try DaemonMetrics(registry)
        metrics.frames("delivered").increment()
        try ProcessMetrics.register(in: registry, startedAt: WallTime(microseconds: 1_500_000))
        let page = registry.exposition()
        #expect(page.contains("\nposed_frames_total{outcome=\"delivered\"} 1\n"))
        #expect(page.contains("\nposed_frames_superseded_total 0\n"))
        #expect(page.contains("\nprocess_start_time_seconds 1.5\n"))
        for name in ["resident_memory_bytes", "virtual_memory_bytes", "open_fds", "max_fds"] {
            let line = page.split(separator: "\n").first { $0.hasPrefix("process_\(name) ") }
            let value = try #require(line?.split(separator: " ").last.flatMap { Double($0) })
            #expect(value > 0)
        }
    }

    @Test("of libraries find their place")
    func factory() {
        let registry = MetricsRegistry()
        let factory = RegistryMetricsFactory(registry)
        factory.makeCounter(label: "http.requests", dimensions: [("path", "/")]).increment(by: 2)
        factory.makeMeter(label: "active", dimensions: []).set(4.0)
        factory.makeTimer(label: "request.duration", dimensions: []).recordNanoseconds(2_000_000)
        factory.makeRecorder(label: "1size", dimensions: [], aggregate: true).record(3.0)
        // In other use: counted in silence.
        factory.makeMeter(label: "http.requests.total", dimensions: []).set(1.0)
        let page = registry.exposition()
        #expect(page.contains("http_requests_total{path=\"/\"} 2\n"))
        #expect(page.contains("\nactive 4\n"))
        #expect(page.contains("\nrequest_duration_seconds_sum 0.002\n"))
        #expect(page.contains("\n_1size_count 1\n"))
    }
}
