import PosedModels
import PosedTensor

extension SourceCondition: Conditioning {}

extension PoseCondition: Conditioning {}

/// A latent that a solve arrived at, [1, h, w, C], kept for the next.
struct KeptLatent: Conditioning {
    let latent: Tensor

    var byteCount: Int { latent.byteCount }
}
