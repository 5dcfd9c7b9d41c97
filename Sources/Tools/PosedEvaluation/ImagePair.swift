package import PosedVision

/// Two pictures of one size that are compared, and the pixels that count.
package struct ImagePair: Sendable {
    /// The picture that is measured.
    package let image: Image
    /// The picture it should equal.
    package let reference: Image
    /// The pixels that masked metrics look at, or nil for none such.
    package let mask: Mask?

    /// A pair. Throws `sizeMismatch`, or `emptyMask` if the mask has no pixel that counts.
    package init(_ image: Image, reference: Image, mask: Mask? = nil) throws {
        guard image.width == reference.width, image.height == reference.height else {
            throw EvaluationError(
                .sizeMismatch,
                "a picture of \(image.width) × \(image.height) cannot be compared with one of "
                    + "\(reference.width) × \(reference.height)")
        }
        if let mask {
            guard mask.width == image.width, mask.height == image.height else {
                throw EvaluationError(
                    .sizeMismatch,
                    "a mask of \(mask.width) × \(mask.height) does not fit a picture of "
                        + "\(image.width) × \(image.height)")
            }
            guard mask.values.contains(true) else {
                throw EvaluationError(.emptyMask, "no pixel of the mask counts")
            }
        }
        self.image = image
        self.reference = reference
        self.mask = mask
    }
}
