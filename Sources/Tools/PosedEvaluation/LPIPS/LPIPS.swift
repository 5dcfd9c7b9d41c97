import PosedBackend
import PosedModels
import PosedNN
package import PosedTensor
package import PosedVision
package import PosedWeights

/// The learned perceptual distance of two pictures, as the lpips package (version 0.1) computes it.
///
/// Its folder has `config.json`, `{"net": "alex"}` or `{"net": "vgg"}`, and `model.safetensors` with
/// the package's own names: `net.slice1.0.weight` … of the backbone, `lin0.model.1.weight` … of the
/// heads. `Tests/Goldens/export_lpips.py` writes it.
package final class LPIPS {
    private let network: LPIPSNetwork
    private let compute: Compute
    private let convolutions: [String: Conv2d]
    /// The weights of the channels, for each comparison.
    private let heads: [[Float]]

    /// What a picture's backbone saw: compared with that of another.
    package struct Features {
        fileprivate let maps: [FeatureMap]
    }

    /// The backbone's name: `alex` or `vgg`.
    package var name: String { network.name }

    /// Loads a folder.
    ///
    /// - Throws: `ModelError` for the configuration, `WeightsError` for the weights, `BackendError`
    ///   when the device has no room.
    package convenience init(folder: String, on compute: Compute) throws {
        let file = try ConfigurationFile(folder: folder)
        let net = try file.string("net")
        let reader = WeightReader(try WeightStore(folder: folder, base: "model"))
        try self.init(net: net, reader, name: file.path, on: compute)
    }

    /// A network from a reader.
    ///
    /// - Throws: `ModelError` `.unsupported` for a name that is neither `alex` nor `vgg`, `WeightsError`
    ///   or `BackendError` as above.
    package init(net: String, _ reader: WeightReader, name: String, on compute: Compute) throws {
        guard let network = LPIPSNetwork(name: net) else {
            throw ModelError(
                .unsupported, "\(name): \"net\" must be alex or vgg, but it is \"\(net)\"")
        }
        let loader = Loader(reader, on: compute)
        let backbone = loader.scoped("net")
        var convolutions: [String: Conv2d] = [:]
        var heads: [[Float]] = []
        for step in network.steps {
            switch step {
            case .convolution(
                let name, let inputs, let outputs, let kernel, let stride, let padding):
                convolutions[name] = try backbone.conv2d(
                    name, in: inputs, out: outputs, kernel: kernel, stride: stride,
                    padding: Conv2d.Padding(all: padding))
            case .compare(let channels):
                heads.append(
                    loader.values("lin\(heads.count).model.1.weight", [1, channels, 1, 1]))
            case .pool: break
            }
        }
        _ = try reader.finish(allowUnused: ["scaling_layer.*", "lins.*"])
        try compute.synchronize()
        self.network = network
        self.compute = compute
        self.convolutions = convolutions
        self.heads = heads
    }

    /// What the backbone sees in a picture.
    ///
    /// - Throws: `EvaluationError` `.pictureTooSmall`, or `BackendError` when the device fails.
    package func features(_ picture: Image) throws -> Features {
        var map = FeatureMap(
            height: picture.height, width: picture.width, channels: 3,
            values: picture.planes(Self.normalization, layout: .nhwc))
        var maps: [FeatureMap] = []
        for step in network.steps {
            switch step {
            case .convolution(let name, _, _, let kernel, _, let padding):
                guard let layer = convolutions[name],
                    min(map.height, map.width) + 2 * padding >= kernel, map.height > 0
                else {
                    throw EvaluationError(
                        .pictureTooSmall,
                        "a picture of \(picture.width) × \(picture.height) is too "
                            + "small for LPIPS's \(network.name)")
                }
                map = try convolve(map, layer)
            case .pool(let window, let stride): map = map.pooled(window: window, stride: stride)
            case .compare: maps.append(map)
            }
        }
        return Features(maps: maps)
    }

    /// The distance of two pictures of one size, by their features; 0 for equal ones.
    package func distance(_ first: Features, _ second: Features) -> Double {
        zip(zip(first.maps, second.maps), heads).reduce(0) { sum, layer in
            sum + layer.0.0.distance(to: layer.0.1, weights: layer.1)
        }
    }

    /// From bytes to what the backbones were trained on, by way of [−1, 1].
    private static let normalization: ImageNormalization = {
        let shift = [-0.030, -0.088, -0.188]
        let scale = [0.458, 0.448, 0.450]
        return ImageNormalization(
            rescale: 1 / 127.5, mean: shift.map { $0 + 1 }, deviation: scale)
    }()

    private func convolve(_ map: FeatureMap, _ layer: Conv2d) throws -> FeatureMap {
        let input = try compute.tensor(
            map.values, [1, map.height, map.width, map.channels], scratch: true)
        let output = try layer(input, on: compute, activation: .relu, type: .f32)
        return FeatureMap(
            height: output.shape[1], width: output.shape[2], channels: output.shape[3],
            values: try compute.floats(output))
    }
}
