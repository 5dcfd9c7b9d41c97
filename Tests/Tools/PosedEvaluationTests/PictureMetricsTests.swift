import PosedEvaluation
import PosedTesting
import PosedVision
import Testing

@Suite struct PictureMetricsTests {
    struct Case: Decodable {
        let size: [Int]
        let seed: Int
        let ssim: Double
        let ssimMask: Double
        let psnr: Double
        let psnrMask: Double
    }

    struct Cases: Decodable { let pictures: [Case] }

    /// The pair that `make_metrics` of `make_vision.py` makes.
    private func pair(_ entry: Case) throws -> ImagePair {
        let (width, height) = (entry.size[0], entry.size[1])
        let reference = try PictureGoldens.pattern(width: width, height: height, seed: entry.seed)
        let other = try PictureGoldens.pattern(width: width, height: height, seed: entry.seed + 1)
        let image = try Image(
            width: width, height: height,
            bytes: zip(reference.bytes, other.bytes).map { UInt8((Int($0) * 7 + Int($1)) / 8) })
        let radius = min(width, height) / 2
        let values = (0..<(width * height)).map { index in
            let (x, y) = (index % width - width / 3, index / width - height / 2)
            return x * x + y * y < radius * radius
        }
        let mask = try Mask(width: width, height: height, values: values)
        return try ImagePair(image, reference: reference, mask: mask)
    }

    @Test func agreeWithScikitImage() throws {
        let cases = try PictureGoldens.load("metrics.json", as: Cases.self).pictures
        #expect(cases.count == 4)
        for entry in cases {
            let pair = try pair(entry)
            let ssim = try SSIM(pair)
            #expect(abs(ssim.value - entry.ssim) < 1e-9, "\(entry.size)")
            let maskedSSIM = try #require(ssim.maskedValue)
            #expect(abs(maskedSSIM - entry.ssimMask) < 1e-9, "\(entry.size)")
            #expect(abs(PSNR.value(pair) - entry.psnr) < 1e-9, "\(entry.size)")
            let maskedPSNR = try #require(PSNR.maskedValue(pair))
            #expect(abs(maskedPSNR - entry.psnrMask) < 1e-9, "\(entry.size)")
        }
    }

    @Test func sharpnessAgreesWithPillowAndSciPy() throws {
        struct Case: Decodable {
            let size: [Int]
            let seed: Int
            let gradient: Double
            let detail: Double
            let gradientMask: Double
            let detailMask: Double
        }
        struct Cases: Decodable { let sharpness: [Case] }
        let cases = try PictureGoldens.load("pictures.json", as: Cases.self).sharpness
        #expect(cases.count == 2)
        for entry in cases {
            let (width, height) = (entry.size[0], entry.size[1])
            let image = try PictureGoldens.pattern(width: width, height: height, seed: entry.seed)
            let values = (0..<(width * height)).map { index in
                let (x, y) = (index % width - width / 3, index / width - height / 2)
                return x * x + y * y < (height / 2) * (height / 2)
            }
            let mask = try Mask(width: width, height: height, values: values)
            let whole = try #require(Sharpness(image))
            let inside = try #require(Sharpness(image, mask: mask))
            #expect(abs(whole.gradient - entry.gradient) < 1e-9)
            #expect(abs(whole.detail - entry.detail) < 1e-6)
            #expect(abs(inside.gradient - entry.gradientMask) < 1e-9)
            #expect(abs(inside.detail - entry.detailMask) < 1e-6)
        }
    }

    @Test func sharpnessIsAShareOfTheTargets() throws {
        let target = try PictureGoldens.pattern(width: 32, height: 24)
        let soft = try target.resized(width: 8, height: 6).resized(width: 32, height: 24)
        var scores = PairScores(source: "a", target: "b")
        try scores.measure(try ImagePair(target, reference: target), as: .reconstruction)
        try scores.measure(try ImagePair(soft, reference: target), as: .output)
        let flat = try Image(width: 32, height: 24, filledWith: .white)
        try scores.measure(try ImagePair(flat, reference: flat), as: .copy)
        // Pillow and SciPy give 0.615 and 0.129.
        for (metric, most) in [(Metric.gradientRatio, 0.65), (.detailRatio, 0.2)] {
            let shares = try #require(scores.values[metric])
            #expect(shares[.reconstruction] == 1)
            #expect(try #require(shares[.output]) < most)
            // Nothing is no share of nothing.
            #expect(shares[.copy] == nil)
        }
        #expect(scores.values[.gradientRatioMask] == nil)
    }

    @Test func equalPicturesAreEqual() throws {
        let image = try PictureGoldens.pattern(width: 20, height: 15)
        let pair = try ImagePair(image, reference: image)
        #expect(abs(try SSIM(pair).value - 1) < 1e-12)
        #expect(PSNR.value(pair) == .infinity)
        #expect(try SSIM(pair).maskedValue == nil)
        #expect(PSNR.maskedValue(pair) == nil)
    }

    @Test func badPairsAreRefused() throws {
        let image = try PictureGoldens.pattern(width: 20, height: 15)
        let other = try PictureGoldens.pattern(width: 15, height: 20)
        let small = try PictureGoldens.pattern(width: 10, height: 30)
        let none = try Mask(width: 20, height: 15, values: Array(repeating: false, count: 300))
        expectCode(.sizeMismatch) { _ = try ImagePair(image, reference: other) }
        expectCode(.sizeMismatch) { _ = try ImagePair(image, reference: image, mask: Mask(other)) }
        expectCode(.emptyMask) { _ = try ImagePair(image, reference: image, mask: none) }
        expectCode(.pictureTooSmall) { _ = try SSIM(try ImagePair(small, reference: small)) }
    }
}

/// Expects an `EvaluationError` of that code.
func expectCode(
    _ code: EvaluationError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("an error was expected", sourceLocation: sourceLocation)
    } catch let error as EvaluationError {
        #expect(error.code == code, sourceLocation: sourceLocation)
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
}
