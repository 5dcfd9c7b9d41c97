/// A measure that reports speak of; the raw value is its name there.
package enum Metric: String, CaseIterable, Codable, Sendable {
    /// Structural similarity; higher is better.
    case ssim
    /// Peak signal-to-noise ratio in decibels; higher is better.
    case psnr
    /// Learned perceptual distance; lower is better.
    case lpips
    /// SSIM inside the mask.
    case ssimMask = "ssim_mask"
    /// PSNR inside the mask.
    case psnrMask = "psnr_mask"
    /// Fréchet distance of features, a measure of whole sets; lower is better.
    case frechet
}
