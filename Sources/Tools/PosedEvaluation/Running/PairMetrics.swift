import PosedVision

/// What was measured of one pair, and its part in measures of sets.
package struct PairResult: Codable, Sendable {
    /// The pair's place in the data set, from 0.
    package let index: Int
    /// The measures of the pair.
    package let scores: PairScores
    /// What the networks saw in its pictures, by the distance that is measured with them.
    let vectors: [Metric: PairVectors]
}

/// Measures the pictures of pairs: similarity and sharpness always, learned distances where their weights are given.
package final class PairMetrics {
    private let lpips: LPIPS?
    private let networks: [any PictureFeatures]
    private var sets: [Metric: FeatureSets] = [:]

    /// Metrics with what there is.
    package init(lpips: LPIPS? = nil, networks: [any PictureFeatures] = []) {
        self.lpips = lpips
        self.networks = networks
    }

    /// What is measured of a pair.
    ///
    /// - Throws: `EvaluationError`, or `BackendError` when a device fails.
    package func measure(
        _ pictures: PairMaker.Pictures, of pair: PairSet.Pair, at index: Int
    ) throws -> PairResult {
        var scores = PairScores(source: pair.source, target: pair.target)
        let seen = try lpips?.features(pictures.target)
        for (subject, picture) in pictures.subjects {
            let compared = try ImagePair(picture, reference: pictures.target, mask: pictures.mask)
            try scores.measure(compared, as: subject)
            if let lpips, let seen {
                scores.record(.lpips, subject, lpips.distance(try lpips.features(picture), seen))
            }
        }
        var vectors: [Metric: PairVectors] = [:]
        for network in networks {
            vectors[network.metric] = try PairVectors(
                pictures.subjects, target: pictures.target, by: network)
        }
        return PairResult(index: index, scores: scores, vectors: vectors)
    }

    /// Adds a pair to the measures of sets.
    ///
    /// - Throws: `EvaluationError` for vectors that are not of the networks.
    package func add(_ result: PairResult) throws {
        for network in networks {
            var set =
                sets.removeValue(forKey: network.metric)
                ?? FeatureSets(dimension: network.dimension)
            if let vectors = result.vectors[network.metric] { try set.add(vectors) }
            sets[network.metric] = set
        }
    }

    /// Adds the measures of sets to a report.
    ///
    /// - Throws: `EvaluationError` when one cannot be computed.
    package func finish(_ report: inout EvaluationReport) throws {
        for (metric, set) in sets {
            for (subject, distance) in try set.distances() {
                report.record(metric, subject, distance)
            }
        }
    }
}
