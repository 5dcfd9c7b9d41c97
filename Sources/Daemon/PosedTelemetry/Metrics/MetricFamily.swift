internal import PosedGuarded

/// A metric: one name, and a series for each combination of its labels' values.
package final class MetricFamily<Series: Instrument>: Sendable {
    /// The most series of one metric. What comes beyond is counted together, with every label `other`, so
    /// that no client can fill the memory of the daemon with invented values.
    package static var limit: Int { 512 }

    /// The name.
    package let name: String
    /// What it means, in one sentence.
    package let help: String
    /// Its type.
    package let kind: MetricKind
    /// The names of its labels.
    package let labelNames: [String]

    private let make: @Sendable () -> Series
    private let series = Guarded<[[String]: Series]>([:])

    init(
        name: String, help: String, kind: MetricKind, labelNames: [String],
        make: @escaping @Sendable () -> Series
    ) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labelNames = labelNames
        self.make = make
    }

    /// The series with given values of the labels, in the order of their names; missing ones are empty.
    /// Keep it where it is used often: finding it costs a lock.
    package func callAsFunction(_ values: String...) -> Series {
        find(values)
    }

    /// The series with given values of the labels.
    package func find(_ values: [String]) -> Series {
        let missing = max(0, labelNames.count - values.count)
        let key = values.prefix(labelNames.count) + Array(repeating: "", count: missing)
        return series.withLock { series in
            if let known = series[Array(key)] { return known }
            let full = series.count >= Self.limit
            let key = full ? Array(repeating: "other", count: labelNames.count) : Array(key)
            if let known = series[key] { return known }
            let new = make()
            series[key] = new
            return new
        }
    }
}

/// A metric of any type, as the registry keeps it.
protocol AnyMetricFamily: Sendable {
    var name: String { get }
    var kind: MetricKind { get }
    var labelNames: [String] { get }

    func write(to page: inout Exposition)
}

extension MetricFamily: AnyMetricFamily {
    func write(to page: inout Exposition) {
        let snapshot = series.withLock { $0 }
        guard !snapshot.isEmpty else { return }
        page.header(name, kind, help: help)
        let sorted = snapshot.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (values, series) in sorted {
            let labels = zip(labelNames, values).map { (name: $0, value: $1) }
            series.write(to: &page, name: name, labels: labels)
        }
    }
}
