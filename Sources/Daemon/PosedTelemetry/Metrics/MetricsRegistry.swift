internal import PosedGuarded

/// All metrics of a process, and the page that shows them.
///
/// Making a metric takes a lock; raising one does not wait for a reader. Asking twice for the same metric
/// gives the same one.
package final class MetricsRegistry: Sendable {
    private let families = Guarded<[String: any AnyMetricFamily]>([:])

    /// A registry without metrics.
    package init() {}

    /// A count that only rises; its name should end in `_total`.
    ///
    /// - Throws: ``TelemetryError`` for names that Prometheus would not read, and for a name in other use.
    package func counter(
        _ name: String, help: String, labels: [String] = []
    ) throws(TelemetryError) -> MetricFamily<Counter> {
        try family(name, .counter, help: help, labels: labels) { Counter() }
    }

    /// A value that rises and falls.
    ///
    /// - Throws: ``TelemetryError`` for names that Prometheus would not read, and for a name in other use.
    package func gauge(
        _ name: String, help: String, labels: [String] = []
    ) throws(TelemetryError) -> MetricFamily<Gauge> {
        try family(name, .gauge, help: help, labels: labels) { Gauge() }
    }

    /// Counts of values by size.
    ///
    /// - Throws: ``TelemetryError`` for names that Prometheus would not read, bounds that do not rise, and
    ///   for a name in other use.
    package func histogram(
        _ name: String, help: String, labels: [String] = [], bounds: [Double] = Histogram.seconds
    ) throws(TelemetryError) -> MetricFamily<Histogram> {
        guard !bounds.isEmpty, bounds.allSatisfy(\.isFinite),
            zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 })
        else {
            throw TelemetryError(
                .invalidBuckets,
                "the bounds of '\(name)' should be finite and rise; they are \(bounds)")
        }
        return try family(name, .histogram, help: help, labels: labels) {
            Histogram(bounds: bounds)
        }
    }

    /// A metric whose value is looked up when the page is written; left out where there is none.
    ///
    /// - Throws: ``TelemetryError`` for a name that Prometheus would not read, or in use.
    package func observe(
        _ name: String, _ kind: MetricKind, help: String,
        read: @escaping @Sendable () -> Double?
    ) throws(TelemetryError) {
        try Self.check(name, kind: kind, labels: [])
        let known = families.withLock { families in
            guard families[name] == nil else { return true }
            families[name] = ObservedMetric(name: name, help: help, kind: kind, read: read)
            return false
        }
        if known {
            throw TelemetryError(.conflict, "the metric '\(name)' should be new; it exists")
        }
    }

    /// The page, with the metrics in the order of their names.
    package func exposition() -> String {
        let sorted = families.withLock { $0.values.sorted { $0.name < $1.name } }
        var page = Exposition()
        for family in sorted { family.write(to: &page) }
        return page.text
    }

    private func family<Series: Instrument>(
        _ name: String, _ kind: MetricKind, help: String, labels: [String],
        make: @escaping @Sendable () -> Series
    ) throws(TelemetryError) -> MetricFamily<Series> {
        try Self.check(name, kind: kind, labels: labels)
        let new = MetricFamily(
            name: name, help: help, kind: kind, labelNames: labels, make: make)
        let kept: any AnyMetricFamily = families.withLock { families in
            if let known = families[name] { return known }
            families[name] = new
            return new
        }
        guard let family = kept as? MetricFamily<Series>, family.labelNames == labels else {
            throw TelemetryError(
                .conflict,
                "the metric '\(name)' should be a \(kind.rawValue) with labels \(labels); "
                    + "it exists as a \(kept.kind.rawValue) with \(kept.labelNames)")
        }
        // A metric without labels has one series from the start: a rate needs its zero.
        if labels.isEmpty { _ = family.find([]) }
        return family
    }

    private static func check(
        _ name: String, kind: MetricKind, labels: [String]
    ) throws(TelemetryError) {
        guard isName(name, colons: true) else {
            throw TelemetryError(
                .invalidName,
                "a metric's name should be letters, digits, _ and :, not digits first; it is '\(name)'"
            )
        }
        for (index, label) in labels.enumerated() {
            let reserved = label.hasPrefix("__") || (kind == .histogram && label == "le")
            let repeated = labels[..<index].contains(label)
            guard isName(label, colons: false), !reserved, !repeated else {
                throw TelemetryError(
                    .invalidName,
                    "a label of '\(name)' should be letters, digits and _, not digits first, "
                        + "not reserved, and once; it is '\(label)'")
            }
        }
    }

    private static func isName(_ text: String, colons: Bool) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (65...90).contains(byte) || (97...122).contains(byte) || (48...57).contains(byte)
                || byte == UInt8(ascii: "_") || (colons && byte == UInt8(ascii: ":"))
        }
    }
}
