import Foundation

/// When requests come: at once, regularly, or by chance.
package struct ArrivalProcess: Sendable {
    /// How the gaps between requests are distributed.
    package enum Kind: String, Sendable, CaseIterable, Encodable {
        /// All alike.
        case regular
        /// Exponentially, as those of many callers who know nothing of each other.
        case poisson
    }

    private let kind: Kind
    private let rate: Double
    private var generator: SplitMix64
    private var last = 0.0

    /// So many requests a second on average; equal seeds make equal arrivals.
    package init(_ kind: Kind, rate: Double, seed: UInt64) {
        self.kind = kind
        self.rate = rate
        generator = SplitMix64(state: seed)
    }

    /// When the next request comes, in seconds from the beginning.
    package mutating func next() -> Double {
        switch kind {
        case .regular: last += 1 / rate
        case .poisson:
            // Never 0, whose logarithm is none.
            let uniform = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &generator)
            last += -log(uniform) / rate
        }
        return last
    }
}
