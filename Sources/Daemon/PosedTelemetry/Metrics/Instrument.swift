/// What a metric's series hold: something that can be written as samples.
package protocol Instrument: AnyObject, Sendable {
    /// Appends the samples of one series.
    func write(to page: inout Exposition, name: String, labels: [(name: String, value: String)])
}

/// The types of metrics, as Prometheus names them.
package enum MetricKind: String, Hashable, Sendable {
    /// A count that only rises.
    case counter
    /// A value that rises and falls.
    case gauge
    /// Counts of values by size.
    case histogram
}
