import PosedBackend
import PosedModels
import PosedNN
package import PosedTensor
package import PosedVision
package import PosedWeights

/// The features of the Fréchet Inception distance, as pytorch-fid computes them.
///
/// Its folder has `config.json`, `{"_class_name": "FIDInceptionV3"}`, and `model.safetensors` with torchvision's
/// names: `Conv2d_1a_3x3.conv.weight`, `Conv2d_1a_3x3.bn.weight` … `Tests/Goldens/export_inception.py` writes it.
package final class InceptionFeatures: PictureFeatures {
    package let metric = Metric.fid
    package let dimension = InceptionNetwork.features
    private let compute: Compute
    private let convolutions: [String: Conv2d]

    /// The side that pictures are brought to.
    private static let side = 299
    /// What the batch normalizations add to the variance.
    private static let epsilon: Float = 1e-3

    /// Loads a folder.
    ///
    /// - Throws: `ModelError` for the configuration, one of a DINOv2 among it; `WeightsError` for the weights;
    ///   `BackendError` when the device has no room.
    package convenience init(folder: String, on compute: Compute) throws {
        let file = try ConfigurationFile(folder: folder)
        let kind = try file.string("_class_name", default: "")
        guard kind == "FIDInceptionV3" else {
            let other = try file.string("model_type", default: kind)
            throw ModelError(
                .unsupported,
                other.hasPrefix("dinov2")
                    ? "\(folder): this is a DINOv2, and FID is measured with Inception; the Fréchet distance of "
                        + "DINOv2 is --fd-dinov2"
                    : "\(file.path): \"_class_name\" must be FIDInceptionV3, but it is \(other.debugDescription)"
            )
        }
        try self.init(WeightReader(try WeightStore(folder: folder, base: "model")), on: compute)
    }

    /// A network from a reader.
    ///
    /// - Throws: `WeightsError` or `BackendError` as above.
    package init(_ reader: WeightReader, on compute: Compute) throws {
        let loader = Loader(reader, on: compute)
        var convolutions: [String: Conv2d] = [:]
        for layer in InceptionNetwork.layers {
            convolutions[layer.name] = try Self.folded(
                layer, loader.scoped(layer.name), on: compute)
        }
        _ = try reader.finish(allowUnused: ["fc.*", "AuxLogits.*", "*.num_batches_tracked"])
        try compute.synchronize()
        self.compute = compute
        self.convolutions = convolutions
    }

    package func features(_ picture: Image) throws -> [Float] {
        var map = Self.input(picture)
        for block in InceptionNetwork.blocks {
            map = FeatureMap(joining: try block.flatMap { try follow($0, from: map) })
        }
        return map.means
    }

    /// A convolution and the batch normalization after it as one.
    private static func folded(
        _ layer: InceptionNetwork.Layer, _ loader: Loader, on compute: Compute
    ) throws -> Conv2d? {
        let geometry = layer.geometry
        let (inputs, outputs) = (geometry.inputs, geometry.outputs)
        var filter = loader.values(
            "conv.weight",
            [outputs, inputs, geometry.kernel, geometry.kernelWidth ?? geometry.kernel])
        let scale = loader.values("bn.weight", [outputs])
        let shift = loader.values("bn.bias", [outputs])
        let mean = loader.values("bn.running_mean", [outputs])
        let variance = loader.values("bn.running_var", [outputs])
        guard !filter.isEmpty, variance.count == outputs else { return nil }
        let each = filter.count / outputs
        var bias = shift
        for output in 0..<outputs {
            let factor = scale[output] / (variance[output] + epsilon).squareRoot()
            bias[output] -= mean[output] * factor
            for index in (output * each)..<((output + 1) * each) { filter[index] *= factor }
        }
        return try Conv2d(HostMatrix(filter), bias: bias, geometry, on: compute)
    }

    /// The results of one branch of a block.
    private func follow(
        _ branch: InceptionNetwork.Branch, from input: FeatureMap
    ) throws -> [FeatureMap] {
        var map = input
        switch branch.pool {
        case .shrink: map = map.pooled(window: 3, stride: 2)
        case .largest: map = map.smoothed(takingLargest: true)
        case .mean: map = map.smoothed(takingLargest: false)
        case nil: break
        }
        for layer in branch.layers { map = try convolve(map, layer) }
        return branch.fork.isEmpty ? [map] : try branch.fork.map { try convolve(map, $0) }
    }

    private func convolve(
        _ map: FeatureMap, _ layer: InceptionNetwork.Layer
    ) throws -> FeatureMap {
        guard let convolution = convolutions[layer.name] else { return map }
        let input = try compute.tensor(
            map.values, [1, map.height, map.width, map.channels], scratch: true)
        let output = try convolution(input, on: compute, activation: .relu, type: .f32)
        return FeatureMap(
            height: output.shape[1], width: output.shape[2], channels: output.shape[3],
            values: try compute.floats(output))
    }

    /// The picture at the network's size, in [−1, 1].
    private static func input(_ picture: Image) -> FeatureMap {
        let planes = picture.planes(.signed, layout: .nhwc)
        let rows = taps(picture.height)
        let columns = taps(picture.width)
        var values: [Float] = []
        values.reserveCapacity(side * side * 3)
        for row in rows {
            let (upper, lower) = (row.first * picture.width, row.second * picture.width)
            for column in columns {
                let places = [upper, lower].flatMap { [$0 + column.first, $0 + column.second] }
                for channel in 0..<3 {
                    let corners = places.map { planes[$0 * 3 + channel] }
                    let top = corners[0] + (corners[1] - corners[0]) * column.weight
                    let bottom = corners[2] + (corners[3] - corners[2]) * column.weight
                    values.append(top + (bottom - top) * row.weight)
                }
            }
        }
        return FeatureMap(height: side, width: side, channels: 3, values: values)
    }

    /// Linear interpolation along an axis as PyTorch does it: two samples and the share of the second.
    private static func taps(_ count: Int) -> [(first: Int, second: Int, weight: Float)] {
        let scale = Float(count) / Float(side)
        return (0..<side).map { index in
            let place = max((Float(index) + 0.5) * scale - 0.5, 0)
            let first = min(Int(place), count - 1)
            return (first, min(first + 1, count - 1), place - Float(first))
        }
    }
}
