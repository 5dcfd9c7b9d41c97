extension BenchReport {
    /// What people want to know.
    package var tables: [Table] {
        var facts = Table([])
        let load = plan.rate.map { "\(Text.number($0)) a second, \(plan.arrivals ?? "")" }
        facts.add([
            "load",
            "\(plan.mode), \(plan.concurrency) at a time, \(plan.sessions) sessions, "
                + "\(load ?? "as fast as they are answered"), \(plan.format)",
        ])
        facts.add([
            "frames",
            "\(frames) in \(Text.number(seconds)) s, "
                + "\(Text.number(framesPerSecond, decimals: 2)) a second",
        ])
        facts.add([
            "not made", "\(superseded) superseded, \(failed) failed" + failureNames,
        ])
        facts.add(["late", "\(late), \(reduced) with fewer evaluations"])
        facts.add(["jitter", Text.milliseconds(gapMs.deviation)])
        facts.add([
            "found ready",
            "\(Text.number(100 * sourceHits)) % of sources, \(Text.number(100 * poseHits)) % of poses",
        ])
        var times = Table(
            ["", "MEAN", "P50", "P90", "P99", "MAX"],
            [.left, .right, .right, .right, .right, .right])
        let rows =
            [("latency", latencyMs), ("overhead", overheadMs), ("between frames", gapMs)]
            + BenchRecord.stageNames.map { ("daemon: \($0)", stagesMs[$0] ?? Distribution([])) }
        for (name, distribution) in rows where distribution.count > 0 {
            let values = [
                distribution.mean, distribution.p50, distribution.p90, distribution.p99,
                distribution.max,
            ]
            times.add([name] + values.map(Text.milliseconds))
        }
        return [facts, times]
    }

    private var failureNames: String {
        if failures.isEmpty { return "" }
        let names = failures.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return " (\(names.joined(separator: ", ")))"
    }
}
