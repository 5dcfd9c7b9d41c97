import CPosedBackend
import PosedBackend

/// One call of the plugin interface's operations, with everything its descriptor points to.
enum Operation {
    case linear(posed_linear_desc)
    case conv2d(posed_conv2d_desc)
    case groupNorm(posed_group_norm_desc)
    case layerNorm(posed_layer_norm_desc)
    case attention(posed_attention_desc, cached: [posed_kv])
    case copy(posed_copy_desc)
    case combine(posed_combine_desc)
    case activate(posed_activate_desc)
    case glu(posed_glu_desc)
    case quantize(posed_quantize_desc)

    /// Calls the table's function for this operation.
    func submit(
        _ table: UnsafePointer<posed_backend>, _ stream: OpaquePointer,
        _ error: UnsafeMutablePointer<posed_error>?
    ) -> posed_status {
        let table = table.pointee
        let missing = POSED_INTERNAL
        switch self {
        case .linear(var desc): return table.linear?(stream, &desc, error) ?? missing
        case .conv2d(var desc): return table.conv2d?(stream, &desc, error) ?? missing
        case .groupNorm(var desc): return table.group_norm?(stream, &desc, error) ?? missing
        case .layerNorm(var desc): return table.layer_norm?(stream, &desc, error) ?? missing
        case .attention(var desc, let cached):
            return cached.withUnsafeBufferPointer { cached in
                desc.cached = cached.isEmpty ? nil : cached.baseAddress
                return table.attention?(stream, &desc, error) ?? missing
            }
        case .copy(var desc): return table.copy?(stream, &desc, error) ?? missing
        case .combine(var desc): return table.combine?(stream, &desc, error) ?? missing
        case .activate(var desc): return table.activate?(stream, &desc, error) ?? missing
        case .glu(var desc): return table.glu?(stream, &desc, error) ?? missing
        case .quantize(var desc): return table.quantize?(stream, &desc, error) ?? missing
        }
    }
}

/// Writes `element` at `index` of a C array, which Swift sees as a tuple.
func set<Array, Element>(_ array: inout Array, _ index: Int, _ element: Element) {
    withUnsafeMutableBytes(of: &array) { bytes in
        bytes.storeBytes(
            of: element, toByteOffset: index * MemoryLayout<Element>.stride, as: Element.self)
    }
}
