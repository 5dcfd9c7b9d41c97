import Foundation
import PosedVision

/// Peak signal-to-noise ratio of 8-bit pictures, in decibels.
package enum PSNR {
    /// What reports write for pictures that are equal, where the ratio is infinite.
    package static let reportCeiling = 100.0

    /// The ratio over all pixels and channels; infinite for equal pictures.
    package static func value(_ pair: ImagePair) -> Double {
        var sum = 0
        for (a, b) in zip(pair.image.bytes, pair.reference.bytes) {
            let difference = Int(a) - Int(b)
            sum += difference * difference
        }
        return decibels(squares: sum, count: pair.image.bytes.count)
    }

    /// The ratio over the pixels of the mask alone, or nil if the pair has none.
    package static func maskedValue(_ pair: ImagePair) -> Double? {
        guard let mask = pair.mask else { return nil }
        var sum = 0
        var count = 0
        for (pixel, counts) in mask.values.enumerated() where counts {
            for index in (3 * pixel)..<(3 * pixel + 3) {
                let difference = Int(pair.image.bytes[index]) - Int(pair.reference.bytes[index])
                sum += difference * difference
            }
            count += 3
        }
        return decibels(squares: sum, count: count)
    }

    private static func decibels(squares: Int, count: Int) -> Double {
        guard squares > 0 else { return .infinity }
        return 10 * log10(255 * 255 / (Double(squares) / Double(count)))
    }
}
