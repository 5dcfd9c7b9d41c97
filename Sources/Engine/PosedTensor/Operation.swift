import CPosedBackend
import PosedBackend

/// A copy or a linear combination made ready to be run again and again: running it allocates nothing.
package struct Operation: Sendable {
    private enum Kind: @unchecked Sendable {
        case copy(posed_copy_desc)
        /// One after the other.
        case combine([posed_combine_desc])
    }

    private let kind: Kind
    /// The memory that the descriptors point into.
    private let storages: [Storage]

    /// y = x, with conversion of the type.
    package static func copy(_ x: Tensor, to y: Tensor) -> Operation {
        Operation(
            kind: .copy(posed_copy_desc(x: x.native, y: y.native)),
            storages: [x.storage, y.storage])
    }

    /// y = bias + Σ coefficient · x, of dense tensors of one shape; at least one term. The output may be
    /// among the terms.
    ///
    /// A backend adds up to `POSED_MAX_TERMS` terms at once; a longer sum goes on from what is in y.
    package static func combine(
        _ terms: [(Float, Tensor)], bias: Float = 0, into y: Tensor
    ) -> Operation {
        precondition(!terms.isEmpty, "a sum has at least one term")
        let most = Int(POSED_MAX_TERMS)
        var sums: [posed_combine_desc] = []
        var rest = terms[...]
        if terms.count > most {
            // The terms that are y themselves are read before y is written, added up to one.
            func isOutput(_ term: (Float, Tensor)) -> Bool {
                term.1.storage === y.storage && term.1.offset == y.offset
            }
            let own = terms.filter(isOutput).reduce(0) { $0 + $1.0 }
            let others = terms.filter { !isOutput($0) }
            rest = (others.count < terms.count ? [(own, y)] + others : others)[...]
        }
        while sums.isEmpty || !rest.isEmpty {
            let partial = sums.isEmpty ? [] : [(Float(1), y)]
            let next = rest.prefix(most - partial.count)
            rest = rest.dropFirst(next.count)
            sums.append(sum(partial + next, bias: sums.isEmpty ? bias : 0, into: y))
        }
        return Operation(kind: .combine(sums), storages: terms.map(\.1.storage) + [y.storage])
    }

    /// The descriptor of one sum of up to `POSED_MAX_TERMS` terms.
    private static func sum(
        _ terms: [(Float, Tensor)], bias: Float, into y: Tensor
    ) -> posed_combine_desc {
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
        return desc
    }

    /// Carries it out on a stream.
    ///
    /// - Throws: `BackendError` when shapes or types do not fit.
    package func run(on compute: Compute) throws {
        let table = compute.device.plugin.table
        for storage in storages { compute.keep(storage) }
        switch kind {
        case .copy(var desc):
            try BackendError.check("copy") {
                table.pointee.copy(compute.stream.handle, &desc, $0)
            }
        case .combine(let sums):
            for sum in sums {
                var desc = sum
                try BackendError.check("combine") {
                    table.pointee.combine(compute.stream.handle, &desc, $0)
                }
            }
        }
    }
}
