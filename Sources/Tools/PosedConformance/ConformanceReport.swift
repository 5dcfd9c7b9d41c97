/// What came of all cases on one device.
package struct ConformanceReport: Codable, Sendable {
    /// The plugin's name.
    package var backend: String
    /// The device's name.
    package var device: String
    /// The device's class of results.
    package var numerics: String
    /// One entry per case, in the suite's order.
    package var results: [ConformanceResult]

    /// The cases that ended as `outcome`.
    package func results(_ outcome: ConformanceResult.Outcome) -> [ConformanceResult] {
        results.filter { $0.outcome == outcome }
    }

    /// Whether nothing failed and something passed.
    package var passed: Bool {
        results(.failed).isEmpty && !results(.passed).isEmpty
    }
}
