import CPosedBackend
import PosedBackend

extension Bench {
    /// Packs a matrix `[out, in]` given as `type` for products of `compute` operands. The data lies
    /// at an odd address.
    func linearWeight(
        _ values: [Float], out: Int, in inputs: Int, bias: [Float]?, type: ElementType,
        compute: ElementType
    ) throws -> DeviceWeight {
        let (data, bias) = (Self.packed(values, type), bias ?? [])
        var weight: OpaquePointer?
        try BackendError.check("weight_create_linear") { error in
            data.withUnsafeBytes { data in
                bias.withUnsafeBufferPointer { bias in
                    var desc = posed_linear_weight_desc()
                    desc.data = UnsafeRawPointer(data.baseAddress?.advanced(by: 1))
                    desc.dtype = type.rawValue
                    desc.bias = bias.isEmpty ? nil : bias.baseAddress
                    desc.out = Int64(out)
                    desc.in = Int64(inputs)
                    desc.compute = compute.rawValue
                    return plugin.table.pointee.weight_create_linear?(
                        device, &desc, &weight, error) ?? POSED_INTERNAL
                }
            }
        }
        return keep(try expect(weight, "weight_create_linear gave no weight"), compute)
    }

    /// Packs the filter of `conv`, given as `type`, for products of `compute` operands.
    func filter(
        _ conv: Reference.Conv2D, type: ElementType, compute: ElementType
    ) throws -> DeviceWeight {
        let (data, bias) = (Self.packed(conv.weight, type), conv.bias ?? [])
        var weight: OpaquePointer?
        try BackendError.check("weight_create_conv2d") { error in
            data.withUnsafeBytes { data in
                bias.withUnsafeBufferPointer { bias in
                    var desc = Self.descriptor(conv)
                    desc.data = UnsafeRawPointer(data.baseAddress?.advanced(by: 1))
                    desc.dtype = type.rawValue
                    desc.bias = bias.isEmpty ? nil : bias.baseAddress
                    desc.compute = compute.rawValue
                    return plugin.table.pointee.weight_create_conv2d?(
                        device, &desc, &weight, error) ?? POSED_INTERNAL
                }
            }
        }
        return keep(try expect(weight, "weight_create_conv2d gave no weight"), compute)
    }

    private static func descriptor(_ conv: Reference.Conv2D) -> posed_conv2d_weight_desc {
        var desc = posed_conv2d_weight_desc()
        desc.out = Int32(conv.outputs)
        desc.in = Int32(conv.inputs)
        desc.kernel_h = Int32(conv.kernel.height)
        desc.kernel_w = Int32(conv.kernel.width)
        desc.stride_h = Int32(conv.stride.height)
        desc.stride_w = Int32(conv.stride.width)
        desc.pad_top = Int32(conv.padding.top)
        desc.pad_left = Int32(conv.padding.left)
        desc.pad_bottom = Int32(conv.padding.bottom)
        desc.pad_right = Int32(conv.padding.right)
        desc.upsample = Int32(conv.upsample)
        return desc
    }

    /// The bytes of `values` as `type`, behind one byte that makes their address odd.
    private static func packed(_ values: [Float], _ type: ElementType) -> [UInt8] {
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, values.count * type.size), alignment: 16)
        defer { scratch.deallocate() }
        guard let memory = scratch.baseAddress else { return [] }
        for (index, value) in values.enumerated() { type.store(value, in: memory, at: index) }
        return [0] + scratch.prefix(values.count * type.size)
    }
}
