import CPosedBackend
package import PosedBackend
package import PosedTensor

/// A two-dimensional convolution of channels-last images: [N, H, W, in] to [N, Ho, Wo, out].
package struct Conv2d: Sendable {
    /// Rows and columns of zeros around the image.
    package struct Padding: Sendable, Equatable {
        package var top: Int
        package var left: Int
        package var bottom: Int
        package var right: Int

        /// No padding.
        package static let none = Padding(all: 0)

        /// The same on all sides.
        package init(all: Int) { self.init(top: all, left: all, bottom: all, right: all) }

        /// Each side by itself.
        package init(top: Int, left: Int, bottom: Int, right: Int) {
            self.top = top
            self.left = left
            self.bottom = bottom
            self.right = right
        }
    }

    /// Everything about a convolution but its weights.
    package struct Geometry: Sendable, Equatable {
        package var inputs: Int
        package var outputs: Int
        /// Height and width of the filter; its height alone where `kernelWidth` says otherwise.
        package var kernel: Int
        package var stride: Int
        package var padding: Padding
        /// 2: the convolution acts on the nearest-neighbour enlargement of its input.
        package var upsample: Int
        /// Width of a filter that is not square.
        package var kernelWidth: Int?

        /// A filter of stride 1 that is not padded, unless something else is said.
        package init(
            inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Padding = .none,
            upsample: Int = 1, kernelWidth: Int? = nil
        ) {
            self.inputs = inputs
            self.outputs = outputs
            self.kernel = kernel
            self.stride = stride
            self.padding = padding
            self.upsample = upsample
            self.kernelWidth = kernelWidth
        }

        /// Columns of the filter.
        fileprivate var columns: Int { kernelWidth ?? kernel }

        /// The result's height and width.
        func extent(height: Int, width: Int) -> (height: Int, width: Int) {
            let rows = height * upsample + padding.top + padding.bottom - kernel
            let columns = width * upsample + padding.left + padding.right - self.columns
            return (rows / stride + 1, columns / stride + 1)
        }
    }

    package let geometry: Geometry
    private let weight: PackedWeight

    /// Packs a filter [out, in, rows, columns] and its bias [out].
    ///
    /// - Throws: `BackendError` when the device cannot hold it.
    package init(
        _ filter: HostMatrix, bias: [Float]?, _ geometry: Geometry, on compute: Compute
    ) throws {
        self.geometry = geometry
        try compute.require(
            .conv2d(
                inputs: geometry.inputs, outputs: geometry.outputs, kernel: geometry.kernel,
                stride: geometry.stride))
        weight = try filter.withBytes { bytes in
            var desc = posed_conv2d_weight_desc()
            desc.data = bytes.baseAddress
            desc.dtype = filter.dtype.rawValue
            desc.out = Int32(geometry.outputs)
            desc.in = Int32(geometry.inputs)
            desc.kernel_h = Int32(geometry.kernel)
            desc.kernel_w = Int32(geometry.columns)
            desc.stride_h = Int32(geometry.stride)
            desc.stride_w = Int32(geometry.stride)
            desc.pad_top = Int32(geometry.padding.top)
            desc.pad_left = Int32(geometry.padding.left)
            desc.pad_bottom = Int32(geometry.padding.bottom)
            desc.pad_right = Int32(geometry.padding.right)
            desc.upsample = Int32(geometry.upsample)
            desc.compute = compute.precision.rawValue
            return try withOptionalPointer(bias) { pointer in
                desc.bias = pointer
                return try PackedWeight(device: compute.device, conv2d: desc)
            }
        }
    }

    /// A filter of one element, for a model that is about to be refused.
    static func placeholder(on compute: Compute) throws -> Conv2d {
        let single = Geometry(inputs: 1, outputs: 1, kernel: 1)
        return try Conv2d(HostMatrix([0]), bias: nil, single, on: compute)
    }

    /// y = act(conv(x) + b + residual).
    ///
    /// - Parameters:
    ///   - x: [N, H, W, in].
    ///   - residual: [N, Ho, Wo, out] of the result's type.
    ///   - type: The result's type; nil takes the precision.
    /// - Throws: `BackendError` when shapes or types do not fit.
    @discardableResult
    package func callAsFunction(
        _ x: Tensor, on compute: Compute, activation: Activation = .none, residual: Tensor? = nil,
        into output: Tensor? = nil, type: DType? = nil
    ) throws -> Tensor {
        let (height, width) = geometry.extent(height: x.shape[1], width: x.shape[2])
        return try compute.conv2d(
            x, weight, shape: [x.shape[0], height, width, geometry.outputs],
            activation: activation, residual: residual, into: output, type: type)
    }
}
