/// The measures of one pair of an evaluation.
package struct PairScores: Equatable, Codable, Sendable {
    /// The source picture, as the data set names it.
    package let source: String
    /// The target picture, as the data set names it.
    package let target: String
    /// What was measured, by metric and subject.
    package private(set) var values: [Metric: [Subject: Double]] = [:]

    /// The scores of a pair that has none yet.
    package init(source: String, target: String) {
        self.source = source
        self.target = target
    }

    /// Measures a picture against the target: SSIM, PSNR and the shares of gradient and detail, and all of them
    /// inside the mask if the pair has one. Throws `pictureTooSmall`.
    package mutating func measure(_ pair: ImagePair, as subject: Subject) throws {
        let ssim = try SSIM(pair)
        record(.ssim, subject, ssim.value)
        record(.psnr, subject, PSNR.value(pair))
        for (metric, value) in Sharpness.ratios(pair) { record(metric, subject, value) }
        if let value = ssim.maskedValue { record(.ssimMask, subject, value) }
        if let value = PSNR.maskedValue(pair) { record(.psnrMask, subject, value) }
    }

    /// Notes a value measured elsewhere; PSNR is held below `PSNR.reportCeiling`, for JSON and means
    /// know no infinity.
    package mutating func record(_ metric: Metric, _ subject: Subject, _ value: Double) {
        let isRatio = metric == .psnr || metric == .psnrMask
        values[metric, default: [:]][subject] =
            isRatio ? min(value, PSNR.reportCeiling) : value
    }
}
