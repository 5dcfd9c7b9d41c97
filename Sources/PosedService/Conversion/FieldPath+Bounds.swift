extension FieldPath {
    /// A number within bounds.
    func checked(_ value: Int32, in bounds: ClosedRange<Int>) throws -> Int {
        guard bounds.contains(Int(value)) else {
            throw refusal(
                expected: "a number from \(bounds.lowerBound) to \(bounds.upperBound)", got: value)
        }
        return Int(value)
    }

    /// A finite number within bounds.
    func checked(_ value: Double, in bounds: ClosedRange<Double>) throws -> Double {
        guard bounds.contains(value) else {
            throw refusal(
                expected:
                    "a number from \(plain(bounds.lowerBound)) to \(plain(bounds.upperBound))",
                got: value)
        }
        return value
    }

    private func plain(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }
}
