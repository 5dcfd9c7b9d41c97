/// A metric without labels whose value is looked up when the page is written.
struct ObservedMetric: AnyMetricFamily {
    let name: String
    let help: String
    let kind: MetricKind
    let read: @Sendable () -> Double?

    var labelNames: [String] { [] }

    func write(to page: inout Exposition) {
        guard let value = read() else { return }
        page.header(name, kind, help: help)
        page.sample(name, [], value)
    }
}
