import PosedNN
import PosedTensor

extension Linear {
    /// The product at every pixel: [N, H, W, in] to [N, H, W, out].
    func perPixel(_ x: Tensor, on compute: Compute) throws -> Tensor {
        let (images, height, width) = (x.shape[0], x.shape[1], x.shape[2])
        let y = try self(x.reshaped([images, height * width, inputs]), on: compute)
        return y.reshaped([images, height, width, outputs])
    }
}
