import PosedVision

/// Measures the pictures of pairs: similarity always, learned distances where their weights are given.
package struct PairMetrics {
    private let lpips: LPIPS?
    private let frechet: FrechetFeatures?

    /// Metrics with what there is.
    package init(lpips: LPIPS? = nil, frechet: FrechetFeatures? = nil) {
        self.lpips = lpips
        self.frechet = frechet
    }

    /// The measures of a pair; its part in measures of sets is kept for `finish`.
    ///
    /// - Throws: `EvaluationError`, or `BackendError` when a device fails.
    package func measure(_ pictures: PairMaker.Pictures, of pair: PairSet.Pair) throws -> PairScores
    {
        var scores = PairScores(source: pair.source, target: pair.target)
        let seen = try lpips?.features(pictures.target)
        for (subject, picture) in pictures.subjects {
            let compared = try ImagePair(picture, reference: pictures.target, mask: pictures.mask)
            try scores.measure(compared, as: subject)
            if let lpips, let seen {
                scores.record(.lpips, subject, lpips.distance(try lpips.features(picture), seen))
            }
        }
        try frechet?.add(pictures.subjects, target: pictures.target)
        return scores
    }

    /// Adds the measures of sets to a report.
    ///
    /// - Throws: `EvaluationError` when one cannot be computed.
    package func finish(_ report: inout EvaluationReport) throws {
        guard let distances = try frechet?.distances() else { return }
        for (subject, distance) in distances { report.record(.frechet, subject, distance) }
    }
}
