import PosedNN

/// The convolutions of FID's Inception and how they follow each other, under torchvision's names.
///
/// It is the network of 2015 that the distance is defined with: its average pools do not count the border, and
/// the pool of its last block takes the largest.
enum InceptionNetwork {
    /// Features of a picture.
    static let features = 2048

    /// A convolution without a bias, a batch normalization, a ReLU.
    struct Layer {
        let name: String
        let geometry: Conv2d.Geometry

        /// Padding keeps the size where `isSame`.
        init(
            _ name: String, _ inputs: Int, _ outputs: Int, rows: Int = 1, columns: Int = 1,
            stride: Int = 1, isSame: Bool = true
        ) {
            let (vertical, horizontal) = isSame ? (rows / 2, columns / 2) : (0, 0)
            self.name = name
            geometry = Conv2d.Geometry(
                inputs: inputs, outputs: outputs, kernel: rows, stride: stride,
                padding: Conv2d.Padding(
                    top: vertical, left: horizontal, bottom: vertical, right: horizontal),
                kernelWidth: columns)
        }
    }

    /// One way through a block: what is pooled first, then layers, the last of which may be several side by side.
    struct Branch {
        var pool: Pool?
        var layers: [Layer] = []
        /// Layers that all take the result of `layers`.
        var fork: [Layer] = []
    }

    /// A pool of 3 × 3.
    enum Pool {
        /// The largest; every second place, none beyond the border.
        case shrink
        /// The largest around every place.
        case largest
        /// The mean around every place, of what lies inside.
        case mean
    }

    /// Branches that see the same and whose results are joined.
    typealias Block = [Branch]

    /// The network, block after block; a plain convolution or pool is a block of one branch.
    static let blocks: [Block] =
        [
            [
                Branch(layers: [
                    Layer("Conv2d_1a_3x3", 3, 32, rows: 3, columns: 3, stride: 2, isSame: false),
                    Layer("Conv2d_2a_3x3", 32, 32, rows: 3, columns: 3, isSame: false),
                    Layer("Conv2d_2b_3x3", 32, 64, rows: 3, columns: 3),
                ])
            ],
            [
                Branch(
                    pool: .shrink,
                    layers: [
                        Layer("Conv2d_3b_1x1", 64, 80),
                        Layer("Conv2d_4a_3x3", 80, 192, rows: 3, columns: 3, isSame: false),
                    ])
            ],
            [Branch(pool: .shrink)],
            wide("Mixed_5b", 192, pool: 32), wide("Mixed_5c", 256, pool: 64),
            wide("Mixed_5d", 288, pool: 64), firstReduction,
            narrow("Mixed_6b", 128), narrow("Mixed_6c", 160), narrow("Mixed_6d", 160),
            narrow("Mixed_6e", 192), secondReduction,
            last("Mixed_7b", 1280, pool: .mean), last("Mixed_7c", 2048, pool: .largest),
        ]

    /// All layers.
    static var layers: [Layer] { blocks.flatMap { $0.flatMap { $0.layers + $0.fork } } }

    private static func wide(_ name: String, _ inputs: Int, pool: Int) -> Block {
        [
            Branch(layers: [Layer(name + ".branch1x1", inputs, 64)]),
            Branch(layers: [
                Layer(name + ".branch5x5_1", inputs, 48),
                Layer(name + ".branch5x5_2", 48, 64, rows: 5, columns: 5),
            ]),
            Branch(layers: [
                Layer(name + ".branch3x3dbl_1", inputs, 64),
                Layer(name + ".branch3x3dbl_2", 64, 96, rows: 3, columns: 3),
                Layer(name + ".branch3x3dbl_3", 96, 96, rows: 3, columns: 3),
            ]),
            Branch(pool: .mean, layers: [Layer(name + ".branch_pool", inputs, pool)]),
        ]
    }

    private static let firstReduction: Block = [
        Branch(layers: [
            Layer("Mixed_6a.branch3x3", 288, 384, rows: 3, columns: 3, stride: 2, isSame: false)
        ]),
        Branch(layers: [
            Layer("Mixed_6a.branch3x3dbl_1", 288, 64),
            Layer("Mixed_6a.branch3x3dbl_2", 64, 96, rows: 3, columns: 3),
            Layer("Mixed_6a.branch3x3dbl_3", 96, 96, rows: 3, columns: 3, stride: 2, isSame: false),
        ]),
        Branch(pool: .shrink),
    ]

    private static func narrow(_ name: String, _ inner: Int) -> Block {
        [
            Branch(layers: [Layer(name + ".branch1x1", 768, 192)]),
            Branch(layers: [
                Layer(name + ".branch7x7_1", 768, inner),
                Layer(name + ".branch7x7_2", inner, inner, columns: 7),
                Layer(name + ".branch7x7_3", inner, 192, rows: 7),
            ]),
            Branch(layers: [
                Layer(name + ".branch7x7dbl_1", 768, inner),
                Layer(name + ".branch7x7dbl_2", inner, inner, rows: 7),
                Layer(name + ".branch7x7dbl_3", inner, inner, columns: 7),
                Layer(name + ".branch7x7dbl_4", inner, inner, rows: 7),
                Layer(name + ".branch7x7dbl_5", inner, 192, columns: 7),
            ]),
            Branch(pool: .mean, layers: [Layer(name + ".branch_pool", 768, 192)]),
        ]
    }

    private static let secondReduction: Block = [
        Branch(layers: [
            Layer("Mixed_7a.branch3x3_1", 768, 192),
            Layer("Mixed_7a.branch3x3_2", 192, 320, rows: 3, columns: 3, stride: 2, isSame: false),
        ]),
        Branch(layers: [
            Layer("Mixed_7a.branch7x7x3_1", 768, 192),
            Layer("Mixed_7a.branch7x7x3_2", 192, 192, columns: 7),
            Layer("Mixed_7a.branch7x7x3_3", 192, 192, rows: 7),
            Layer(
                "Mixed_7a.branch7x7x3_4", 192, 192, rows: 3, columns: 3, stride: 2, isSame: false),
        ]),
        Branch(pool: .shrink),
    ]

    private static func last(_ name: String, _ inputs: Int, pool: Pool) -> Block {
        [
            Branch(layers: [Layer(name + ".branch1x1", inputs, 320)]),
            Branch(
                layers: [Layer(name + ".branch3x3_1", inputs, 384)],
                fork: [
                    Layer(name + ".branch3x3_2a", 384, 384, columns: 3),
                    Layer(name + ".branch3x3_2b", 384, 384, rows: 3),
                ]),
            Branch(
                layers: [
                    Layer(name + ".branch3x3dbl_1", inputs, 448),
                    Layer(name + ".branch3x3dbl_2", 448, 384, rows: 3, columns: 3),
                ],
                fork: [
                    Layer(name + ".branch3x3dbl_3a", 384, 384, columns: 3),
                    Layer(name + ".branch3x3dbl_3b", 384, 384, rows: 3),
                ]),
            Branch(pool: pool, layers: [Layer(name + ".branch_pool", inputs, 192)]),
        ]
    }
}
