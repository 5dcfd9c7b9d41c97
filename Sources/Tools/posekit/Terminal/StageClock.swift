/// How long the stages of a command took.
struct StageClock {
    /// Milliseconds by stage, in order of first mention.
    private(set) var stages: [(name: String, milliseconds: Double)] = []

    /// Carries out a stage and notes its time; a stage that comes again adds to the first.
    mutating func time<R>(_ name: String, _ body: () throws -> R) rethrows -> R {
        let start = ContinuousClock.now
        let result = try body()
        add(name, (ContinuousClock.now - start).milliseconds)
        return result
    }

    /// Milliseconds by name.
    var milliseconds: [String: Double] {
        Dictionary(uniqueKeysWithValues: stages.map { ($0.name, $0.milliseconds.rounded(to: 3)) })
    }

    /// "load 310 ms, source 45 ms".
    var summary: String {
        stages.map { "\($0.name) \(Self.text($0.milliseconds))" }.joined(separator: ", ")
    }

    private static func text(_ milliseconds: Double) -> String {
        milliseconds < 10_000
            ? "\(milliseconds.rounded(to: milliseconds < 100 ? 1 : 0).plain) ms"
            : "\((milliseconds / 1000).rounded(to: 1).plain) s"
    }

    private mutating func add(_ name: String, _ milliseconds: Double) {
        if let index = stages.firstIndex(where: { $0.name == name }) {
            stages[index].milliseconds += milliseconds
        } else {
            stages.append((name, milliseconds))
        }
    }
}

extension Duration {
    /// The duration in milliseconds.
    var milliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15
    }
}

extension Double {
    /// The nearest number of so many decimals.
    func rounded(to decimals: Int) -> Double {
        var unit = 1.0
        for _ in 0..<decimals { unit *= 10 }
        return (self * unit).rounded() / unit
    }

    /// The shortest text, without a fraction where there is none.
    var plain: String { self == rounded() && abs(self) < 1e15 ? "\(Int(self))" : "\(self)" }
}
