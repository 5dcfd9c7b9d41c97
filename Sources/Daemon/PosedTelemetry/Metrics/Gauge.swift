/// A value that rises and falls.
package final class Gauge: Instrument {
    private let current = AtomicDouble(0)

    init() {}

    /// Replaces the value.
    package func set(_ value: Double) { current.store(value) }

    /// Changes the value by an amount.
    package func add(_ amount: Double) { current.add(amount) }

    /// The value now.
    package var value: Double { current.value }

    package func write(
        to page: inout Exposition, name: String, labels: [(name: String, value: String)]
    ) {
        page.sample(name, labels, value)
    }
}
