/// Hands a model its tensors by name and shape, and keeps the account of everything that does not
/// fit.
///
/// A model asks for each tensor it needs, then calls `finish`, which throws one error with all
/// misses at once. Until then a tensor that did not fit is replaced by zeros of the right shape, so
/// that the model's code has no second path:
///
///     let reader = WeightReader(try WeightStore(folder: path, base: "model"))
///     let block = reader.scoped("blocks.0")
///     let qkv = block.tensor("attn.qkv.weight", shape: [3 * d, d])
///     let report = try reader.finish()
///
/// Declare first, `finish`, then copy the tensors to a device: nothing is half-loaded then, and no
/// memory is spent on a model that will be refused. Readers made by `scoped` share one account, of
/// one thread.
package struct WeightReader {
    /// What every name is prefixed with, such as `blocks.0.`; empty for the whole.
    package let prefix: String
    private let ledger: Ledger

    /// A reader of a store's tensors.
    package init(_ store: WeightStore) {
        prefix = ""
        ledger = Ledger(source: store.source, kind: .store(store))
    }

    /// A reader that makes every tensor it is asked for, for models without a file.
    ///
    /// - Parameters:
    ///   - source: What messages and the report call it.
    ///   - values: The elements for a name and a shape, row-major; as many as the shape says.
    package init(named source: String, generating values: @escaping (String, [Int]) -> [Float]) {
        prefix = ""
        ledger = Ledger(source: source, kind: .generator(values))
    }

    private init(prefix: String, ledger: Ledger) {
        self.prefix = prefix
        self.ledger = ledger
    }

    /// What messages call the store.
    package var source: String { ledger.source }

    /// Whether something asked for so far was missing or did not fit.
    package var hasProblems: Bool { ledger.hasProblems }

    /// A reader of the tensors under `name` and a dot.
    package func scoped(_ name: String) -> WeightReader {
        WeightReader(prefix: prefix + name + ".", ledger: ledger)
    }

    /// Whether there is a tensor of that name. Always true where tensors are generated.
    package func contains(_ name: String) -> Bool { ledger.contains(prefix + name) }

    /// The shape of the tensor of that name as the file has it; nil if there is none.
    package func shape(of name: String) -> [Int]? { ledger.found(prefix + name)?.shape }

    /// The tensor of that name and shape, or zeros of that shape if it is missing, misshapen, of a
    /// type that is no weight, or not finite; `finish` then says so.
    ///
    /// - Parameters:
    ///   - name: The name after `prefix`.
    ///   - aliases: Older names for the same tensor, tried in order.
    ///   - shape: The extents that the model needs, and that the result has.
    ///   - alternatives: Other shapes of as many elements that a file may give it, such as
    ///     `[C, C, 1, 1]` for a matrix.
    package func tensor(
        _ name: String, aliases: [String] = [], shape: [Int], alternatives: [[Int]] = []
    ) -> WeightTensor {
        let full = prefix + name
        for candidate in [full] + aliases.map({ prefix + $0 }) where ledger.contains(candidate) {
            return ledger.take(candidate, shape: shape, alternatives: alternatives)
                ?? .standIn(name: full, shape: shape)
        }
        ledger.miss(full, shape: shape)
        return .standIn(name: full, shape: shape)
    }

    /// As `tensor`, but nil, and no complaint, if the file has no such tensor.
    ///
    /// Never nil where tensors are generated.
    package func optional(
        _ name: String, aliases: [String] = [], shape: [Int], alternatives: [[Int]] = []
    ) -> WeightTensor? {
        guard ([name] + aliases).contains(where: contains) else { return nil }
        return tensor(name, aliases: aliases, shape: shape, alternatives: alternatives)
    }

    /// Closes the account.
    ///
    /// - Parameter patterns: Full names that the file may hold though nobody asked for them; `*`
    ///   stands
    ///   for any run of characters.
    ///
    /// Throws one `mismatch` that names the file and lists every tensor that is missing, misshapen,
    /// of an unusable type, not finite, or unexpected.
    package func finish(allowUnused patterns: [String] = []) throws(WeightsError) -> LoadReport {
        try ledger.close(allowUnused: patterns)
    }
}
