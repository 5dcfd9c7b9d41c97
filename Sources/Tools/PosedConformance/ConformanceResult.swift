/// What came of one case.
package struct ConformanceResult: Codable, Sendable {
    /// How a case ended.
    package enum Outcome: String, Codable, Sendable {
        /// Within its tolerance.
        case passed
        /// Wrong, or refused.
        case failed
        /// The device says that it does not serve this.
        case skipped
    }

    /// The case's name.
    package var name: String
    /// How it ended.
    package var outcome: Outcome
    /// The error measured, if the case got that far; not finite errors are left out.
    package var error: Double?
    /// The greatest error that passes.
    package var tolerance: Double
    /// Why it failed or was skipped.
    package var message: String?

    init(
        name: String, outcome: Outcome, error: Double? = nil, tolerance: Double,
        message: String? = nil
    ) {
        self.name = name
        self.outcome = outcome
        self.error = error.flatMap { $0.isFinite ? $0 : nil }
        self.tolerance = tolerance
        self.message = message
    }
}
