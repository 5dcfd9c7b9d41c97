import PosedBase

/// Hands a model its tensors by name and shape, and records everything that does not fit.
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
/// memory is spent on a model that will be refused. Readers made by `scoped` share one record, of
/// one thread.
package struct WeightReader {
    /// The prefix of every name, such as `blocks.0.`; empty for the whole.
    package let prefix: String
    private let record: Record

    /// A reader of a store's tensors.
    package init(_ store: WeightStore) {
        prefix = ""
        record = Record(source: store.source, kind: .store(store))
    }

    /// A reader that makes every tensor it is asked for, for models without a file.
    ///
    /// - Parameters:
    ///   - source: What messages and the report call it.
    ///   - values: The elements for a name and a shape, row-major; as many as the shape says.
    package init(named source: String, generating values: @escaping (String, [Int]) -> [Float]) {
        prefix = ""
        record = Record(source: source, kind: .generator(values))
    }

    private init(prefix: String, record: Record) {
        self.prefix = prefix
        self.record = record
    }

    /// The name of the store in messages.
    package var source: String { record.source }

    /// Whether something asked for so far was missing or did not fit.
    package var hasProblems: Bool { record.hasProblems }

    /// A reader of the tensors under `name` and a dot.
    package func scoped(_ name: String) -> WeightReader {
        WeightReader(prefix: prefix + name + ".", record: record)
    }

    /// Whether there is a tensor of that name. Always true where tensors are generated.
    package func contains(_ name: String) -> Bool { record.contains(prefix + name) }

    /// The shape of the tensor of that name as the file has it; nil if there is none.
    package func shape(of name: String) -> [Int]? { record.found(prefix + name)?.shape }

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
        for candidate in [full] + aliases.map({ prefix + $0 }) where record.contains(candidate) {
            return record.take(candidate, shape: shape, alternatives: alternatives)
                ?? .standIn(name: full, shape: shape)
        }
        record.miss(full, shape: shape)
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

    /// Ends the reading.
    ///
    /// - Parameter patterns: Full names that the file may hold though nobody asked for them; `*`
    ///   stands
    ///   for any run of characters.
    ///
    /// Throws one `mismatch` that names the file and lists every tensor that is missing, misshapen,
    /// of an unusable type, not finite, or unexpected.
    package func finish(allowUnused patterns: [String] = []) throws(WeightsError) -> LoadReport {
        try record.close(allowUnused: patterns)
    }
}

extension WeightReader {
    /// The tensors that were asked for and the misfits: shared by a reader and its scoped readers.
    final class Record {
        enum Kind {
            case store(WeightStore)
            case generator((String, [Int]) -> [Float])
        }

        let source: String
        private let kind: Kind
        private let begin = ContinuousClock.now
        private var problems: [WeightProblem] = []
        private var taken: [String: WeightTensor] = [:]
        private var judged: Set<String> = []
        private var rejected: Set<String> = []

        init(source: String, kind: Kind) {
            self.source = source
            self.kind = kind
        }

        var hasProblems: Bool { !problems.isEmpty }

        func contains(_ name: String) -> Bool {
            switch kind {
            case .store(let store): store[name] != nil
            case .generator: true
            }
        }

        /// The tensor as the store has it; where tensors are generated, zeros that stand for one that
        /// was made before.
        func found(_ name: String) -> WeightTensor? {
            switch kind {
            case .store(let store): store[name]
            case .generator: taken[name]
            }
        }

        func miss(_ name: String, shape: [Int]) {
            judged.insert(name)
            problems.append(.missing(name, expected: shape))
        }

        /// The tensor if it fits, else nil, with the misfit recorded.
        func take(_ name: String, shape: [Int], alternatives: [[Int]]) -> WeightTensor? {
            let isFirst = judged.insert(name).inserted
            guard let tensor = generated(name, shape: shape) ?? found(name) else {
                problems.append(.missing(name, expected: shape))
                return nil
            }
            guard tensor.shape == shape || fits(tensor, alternatives, shape) else {
                problems.append(.misshapen(name, expected: shape, actual: tensor.shape))
                return nil
            }
            if isFirst, let problem = examine(tensor) {
                problems.append(problem)
                rejected.insert(name)
            }
            guard !rejected.contains(name) else { return nil }
            taken[name] = recorded(tensor)
            return tensor.shape == shape ? tensor : tensor.viewed(as: name, shape: shape)
        }

        private func fits(
            _ tensor: WeightTensor, _ alternatives: [[Int]], _ shape: [Int]
        ) -> Bool {
            alternatives.contains(tensor.shape) && WeightTensor.count(of: shape) == tensor.count
        }

        /// A tensor made anew; nil where they come from a store, or if one of that name but another
        /// shape was made before.
        private func generated(_ name: String, shape: [Int]) -> WeightTensor? {
            guard case .generator(let values) = kind, WeightTensor.count(of: shape) != nil,
                taken[name].map({ $0.shape == shape }) ?? true
            else { return nil }
            return WeightTensor(name: name, shape: shape, floats: values(name, shape))
        }

        /// The record of a tensor: of a generated one its shape alone, for its pages cannot
        /// be given back as a file's can.
        private func recorded(_ tensor: WeightTensor) -> WeightTensor {
            guard case .generator = kind else { return tensor }
            return .standIn(name: tensor.name, shape: tensor.shape)
        }

        /// Looks at type and values, then gives the pages back until the model copies them.
        private func examine(_ tensor: WeightTensor) -> WeightProblem? {
            guard tensor.dtype.isWeight else { return .unusable(tensor.name, tensor.dtype) }
            guard case .store = kind else { return nil }
            defer { tensor.release() }
            return tensor.firstNonFinite.map {
                .notFinite(tensor.name, index: $0.index, value: $0.value)
            }
        }

        func close(allowUnused patterns: [String]) throws(WeightsError) -> LoadReport {
            var unused = 0
            var all = problems
            if case .store(let store) = kind {
                let allowed = patterns.map(NamePattern.init)
                for tensor in store.tensors where !judged.contains(tensor.name) {
                    if allowed.contains(where: { $0.matches(tensor.name) }) {
                        unused += 1
                    } else {
                        all.append(.unexpected(tensor.name, actual: tensor.shape))
                    }
                }
            }
            guard all.isEmpty else {
                throw WeightsError(.mismatch, WeightProblem.summary(all, source: source))
            }
            var bytes: [ElementType: Int] = [:]
            for tensor in taken.values { bytes[tensor.dtype, default: 0] += tensor.byteCount }
            let elapsed = (ContinuousClock.now - begin).components
            return LoadReport(
                source: source, tensors: taken.count,
                parameters: taken.values.reduce(0) { $0 + $1.count }, bytes: bytes, unused: unused,
                seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
        }
    }
}

/// The tensors, numbers and bytes that were loaded for a part.
package struct LoadReport: Sendable, CustomStringConvertible {
    /// The source: the path of the file or of the index.
    package let source: String
    /// How many tensors the model took.
    package let tensors: Int
    /// How many numbers these hold.
    package let parameters: Int
    /// Bytes taken, by element type.
    package let bytes: [ElementType: Int]
    /// Tensors in the file that the model has no use for, and that were allowed to be there.
    package let unused: Int
    /// Seconds from the reader's making to its finish.
    package let seconds: Double

    /// Bytes taken in all.
    package var totalBytes: Int { bytes.values.reduce(0, +) }

    /// One line for a person, such as
    /// `transformer/….safetensors: 164 tensors, 38.1 M parameters, 152.4 MB (F32), 90 ms`.
    package var description: String {
        let types = bytes.keys.map(\.rawValue).sorted().joined(separator: " + ")
        var line = "\(source): \(tensors) tensors, \(Self.tenths(parameters, of: 1_000_000)) M "
        line += "parameters, \(Self.tenths(totalBytes, of: 1_000_000)) MB"
        if !types.isEmpty { line += " (\(types))" }
        if unused > 0 { line += ", \(unused) unused" }
        return line + ", \(Int((seconds * 1000).rounded())) ms"
    }

    private static func tenths(_ value: Int, of unit: Int) -> String {
        let tenths = (value * 10 + unit / 2) / unit
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// One way in which a file's tensors differ from what a model asks for.
enum WeightProblem {
    case missing(String, expected: [Int])
    case misshapen(String, expected: [Int], actual: [Int])
    case unusable(String, ElementType)
    case notFinite(String, index: Int, value: Float)
    case unexpected(String, actual: [Int])

    /// The most problems that one message lists.
    static let listed = 20

    private var text: String {
        switch self {
        case .missing(let name, let expected):
            "\(name.quoted()) is missing (\(WeightsError.text(expected)) expected)"
        case .misshapen(let name, let expected, let actual):
            "\(name.quoted()) has shape \(WeightsError.text(actual)), "
                + "but \(WeightsError.text(expected)) is expected"
        case .unusable(let name, let dtype):
            "\(name.quoted()) is of type \(dtype), but F32, F16 or BF16 is expected"
        case .notFinite(let name, let index, let value):
            "\(name.quoted()) holds \(value) at element \(index)"
        case .unexpected(let name, let actual):
            "\(name.quoted()) \(WeightsError.text(actual)) is unexpected"
        }
    }

    /// One sentence for all problems, the first ones in full.
    static func summary(_ problems: [WeightProblem], source: String) -> String {
        let count = problems.count == 1 ? "1 tensor does" : "\(problems.count) tensors do"
        let shown = problems.prefix(listed).map(\.text).joined(separator: "; ")
        let more = problems.count > listed ? "; and \(problems.count - listed) more" : ""
        return "\(source): \(count) not fit the model: \(shown)\(more)"
    }
}

/// A pattern for tensor names in which `*` stands for any run of characters, dots included.
struct NamePattern {
    private let pieces: [[UInt8]]

    init(_ pattern: String) {
        pieces = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
            .map(Array.init)
    }

    /// Whether the whole name fits.
    func matches(_ name: String) -> Bool {
        var rest = Array(name.utf8)[...]
        guard let first = pieces.first, let last = pieces.last, rest.starts(with: first) else {
            return false
        }
        guard pieces.count > 1 else { return rest.count == first.count }
        rest = rest.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() {
            guard let found = Self.index(of: piece, in: rest) else { return false }
            rest = rest[(found + piece.count)...]
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }

    private static func index(of piece: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard piece.count <= text.count else { return nil }
        return (text.startIndex...text.endIndex - piece.count).first {
            text[$0...].starts(with: piece)
        }
    }
}
