import Synchronization

/// A number that several tasks count up.
final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .acquiring) }

    func add(_ number: Int) { count.wrappingAdd(number, ordering: .acquiringAndReleasing) }
}
