/// A measure that reports speak of; the raw value is its name there.
package enum Metric: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable {
    /// Structural similarity; higher is better.
    case ssim
    /// Peak signal-to-noise ratio in decibels; higher is better.
    case psnr
    /// Learned perceptual distance; lower is better.
    case lpips
    /// Gradient as a share of the target's; 1 is best.
    case gradientRatio = "gradient_ratio"
    /// Variance of fine detail as a share of the target's; 1 is best.
    case detailRatio = "detail_ratio"
    /// SSIM inside the mask.
    case ssimMask = "ssim_mask"
    /// PSNR inside the mask.
    case psnrMask = "psnr_mask"
    /// The gradient's share inside the mask.
    case gradientRatioMask = "gradient_ratio_mask"
    /// The detail's share inside the mask.
    case detailRatioMask = "detail_ratio_mask"
    /// Fréchet distance of Inception's features, as papers print it, a measure of whole sets; lower is better.
    case fid
    /// Fréchet distance of DINOv2's class tokens, a measure of whole sets; lower is better.
    case fdDINOv2 = "fd_dinov2"
}

/// A picture that is measured against the target; the raw value is its name in reports.
package enum Subject: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable {
    /// The model's picture.
    case output
    /// The source picture, given as the answer.
    case copy
    /// The target picture through the autoencoder, the best the model could do.
    case reconstruction
}
