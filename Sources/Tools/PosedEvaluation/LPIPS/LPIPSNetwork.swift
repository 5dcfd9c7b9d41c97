/// The convolutions of an LPIPS backbone: which follow each other, and after which its features are
/// compared.
struct LPIPSNetwork {
    /// A step of the backbone.
    enum Step: Equatable {
        /// A convolution with a ReLU, under its name in the weights.
        case convolution(String, inputs: Int, outputs: Int, kernel: Int, stride: Int, padding: Int)
        /// The largest of each window.
        case pool(window: Int, stride: Int)
        /// Features of so many channels are compared here.
        case compare(channels: Int)
    }

    /// The name in `config.json`.
    let name: String
    let steps: [Step]

    /// AlexNet, or VGG16, by their names in the lpips package; nil for another.
    init?(name: String) {
        switch name {
        case "alex": steps = Self.alex
        case "vgg": steps = Self.vgg
        default: return nil
        }
        self.name = name
    }

    private static let alex: [Step] = [
        .convolution("slice1.0", inputs: 3, outputs: 64, kernel: 11, stride: 4, padding: 2),
        .compare(channels: 64),
        .pool(window: 3, stride: 2),
        .convolution("slice2.3", inputs: 64, outputs: 192, kernel: 5, stride: 1, padding: 2),
        .compare(channels: 192),
        .pool(window: 3, stride: 2),
        .convolution("slice3.6", inputs: 192, outputs: 384, kernel: 3, stride: 1, padding: 1),
        .compare(channels: 384),
        .convolution("slice4.8", inputs: 384, outputs: 256, kernel: 3, stride: 1, padding: 1),
        .compare(channels: 256),
        .convolution("slice5.10", inputs: 256, outputs: 256, kernel: 3, stride: 1, padding: 1),
        .compare(channels: 256),
    ]

    /// VGG16's slices: the index of each convolution in torchvision's list, and its channels.
    private static let vgg: [Step] = {
        let slices: [[(index: Int, channels: Int)]] = [
            [(0, 64), (2, 64)], [(5, 128), (7, 128)], [(10, 256), (12, 256), (14, 256)],
            [(17, 512), (19, 512), (21, 512)], [(24, 512), (26, 512), (28, 512)],
        ]
        var steps: [Step] = []
        var inputs = 3
        for (slice, layers) in slices.enumerated() {
            if slice > 0 { steps.append(.pool(window: 2, stride: 2)) }
            for layer in layers {
                steps.append(
                    .convolution(
                        "slice\(slice + 1).\(layer.index)", inputs: inputs, outputs: layer.channels,
                        kernel: 3, stride: 1, padding: 1))
                inputs = layer.channels
            }
            steps.append(.compare(channels: inputs))
        }
        return steps
    }()
}
