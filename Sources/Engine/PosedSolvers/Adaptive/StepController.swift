import Foundation

/// Chooses the next step's size from the errors of the last two: a proportional-integral
/// controller.
struct StepController: Sendable {
    /// The share of the size that the errors suggest which is taken.
    private static let safety = 0.9
    /// The least and the most that a step's size is multiplied by.
    private static let bounds = 0.2...5.0

    /// The order of the method, and so the exponent at which a step's error grows with its size.
    private let order: Double
    private var previousError = 1.0
    private var wasRejected = false

    init(order: Int) { self.order = Double(order) }

    /// The factor for the step after one that was accepted with this error.
    mutating func factorAfterAccepting(error: Double) -> Double {
        let current = max(error, 1e-10)
        let factor = Self.safety * pow(current, -0.7 / order) * pow(previousError, 0.4 / order)
        previousError = max(current, 1e-4)
        defer { wasRejected = false }
        // Right after a rejection a step does not grow.
        return wasRejected ? min(1, clamped(factor)) : clamped(factor)
    }

    /// The factor for trying a step again that was rejected with this error.
    mutating func factorAfterRejecting(error: Double) -> Double {
        wasRejected = true
        guard error.isFinite else { return Self.bounds.lowerBound }
        return min(Self.safety, clamped(Self.safety * pow(error, -1 / order)))
    }

    private func clamped(_ factor: Double) -> Double {
        min(Self.bounds.upperBound, max(Self.bounds.lowerBound, factor))
    }
}
