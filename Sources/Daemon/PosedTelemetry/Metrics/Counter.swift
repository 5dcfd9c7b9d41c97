/// A count that only rises, until the process ends.
package final class Counter: Instrument {
    private let total = AtomicDouble(0)

    init() {}

    /// Raises the count. An amount that is negative or no number is ignored: a counter never falls.
    package func increment(by amount: Double = 1) {
        guard amount > 0, amount.isFinite else { return }
        total.add(amount)
    }

    /// The count so far.
    package var value: Double { total.value }

    package func write(
        to page: inout Exposition, name: String, labels: [(name: String, value: String)]
    ) {
        page.sample(name, labels, value)
    }
}
