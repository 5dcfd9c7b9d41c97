import CPosedBackend
import PosedBackend

/// A copy or a linear combination made ready to be run again and again: running it allocates nothing.
package struct Operation: Sendable {
    private enum Kind: @unchecked Sendable {
        case copy(posed_copy_desc)
        case combine(posed_combine_desc)
    }

    private let kind: Kind
    /// What the descriptors point into.
    private let storages: [Storage]

    /// y = x, with conversion of the type.
    package static func copy(_ x: Tensor, to y: Tensor) -> Operation {
        Operation(
            kind: .copy(posed_copy_desc(x: x.native, y: y.native)),
            storages: [x.storage, y.storage])
    }

    /// y = bias + Σ coefficient · x, of dense tensors of one shape; at most 12 terms.
    package static func combine(
        _ terms: [(Float, Tensor)], bias: Float = 0, into y: Tensor
    ) -> Operation {
        precondition(!terms.isEmpty && terms.count <= Int(POSED_MAX_TERMS), "\(terms.count) terms")
        var desc = posed_combine_desc()
        desc.y = y.native
        desc.count = UInt32(terms.count)
        desc.bias = bias
        withUnsafeMutableBytes(of: &desc.x) { bytes in
            let inputs = bytes.bindMemory(to: posed_tensor.self)
            for (index, term) in terms.enumerated() { inputs[index] = term.1.native }
        }
        withUnsafeMutableBytes(of: &desc.coefficient) { bytes in
            let factors = bytes.bindMemory(to: Float.self)
            for (index, term) in terms.enumerated() { factors[index] = term.0 }
        }
        return Operation(kind: .combine(desc), storages: terms.map(\.1.storage) + [y.storage])
    }

    /// Carries it out on a stream.
    ///
    /// - Throws: `BackendError` when shapes or types do not fit.
    package func run(on compute: Compute) throws {
        let table = compute.device.plugin.table
        switch kind {
        case .copy(var desc):
            try BackendError.check("copy") {
                table.pointee.copy(compute.stream.handle, &desc, $0)
            }
        case .combine(var desc):
            try BackendError.check("combine") {
                table.pointee.combine(compute.stream.handle, &desc, $0)
            }
        }
    }
}
