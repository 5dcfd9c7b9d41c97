extension WeightReader {
    /// The account that a reader and its scoped readers share.
    final class Ledger {
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

        /// The tensor if it fits, else nil with a line in the account.
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
            taken[name] = accounted(tensor)
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

        /// What the account keeps of a tensor: of a generated one its shape alone, for its pages cannot
        /// be given back as a file's can.
        private func accounted(_ tensor: WeightTensor) -> WeightTensor {
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
