extension ConfigurationFile {
    /// A whole number within bounds.
    ///
    /// - Parameter fallback: The value of a missing key; nil: the key is required.
    /// - Throws: `ModelError` `.malformed`.
    package func integer(
        _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>
    ) throws(ModelError) -> Int {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard case .integer(let number) = value, range.contains(number) else {
            throw refusal(
                .malformed, key,
                "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A finite number within bounds.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func number(
        _ key: String, default fallback: Double? = nil, in range: ClosedRange<Double>
    ) throws(ModelError) -> Double {
        guard let value = value(key) else { return try missing(key, fallback) }
        let number: Double? =
            switch value {
            case .integer(let number): Double(number)
            case .number(let number): number
            default: nil
            }
        guard let number, range.contains(number) else {
            throw refusal(
                .malformed, key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A truth value.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func bool(_ key: String, default fallback: Bool? = nil) throws(ModelError) -> Bool {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard case .bool(let flag) = value else {
            throw refusal(.malformed, key, "must be true or false")
        }
        return flag
    }

    /// A text.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func string(_ key: String, default fallback: String? = nil) throws(ModelError) -> String
    {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard case .string(let text) = value else {
            throw refusal(.malformed, key, "must be a text")
        }
        return text
    }

    /// A list of whole numbers within bounds; of 1 to 16 elements.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func integers(
        _ key: String, default fallback: [Int]? = nil, in range: ClosedRange<Int>
    ) throws(ModelError) -> [Int] {
        guard let value = value(key) else { return try missing(key, fallback) }
        let expected =
            "must be a list of 1 to 16 whole numbers from \(range.lowerBound) to \(range.upperBound)"
        guard case .array(let elements) = value, (1...16).contains(elements.count) else {
            throw refusal(.malformed, key, expected)
        }
        var numbers: [Int] = []
        for element in elements {
            guard case .integer(let number) = element, range.contains(number) else {
                throw refusal(.malformed, key, expected)
            }
            numbers.append(number)
        }
        return numbers
    }

    /// A list of numbers within bounds; nil when the key is missing.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func numbers(
        _ key: String, in range: ClosedRange<Double>
    ) throws(ModelError) -> [Double]? {
        guard let value = value(key) else { return nil }
        let expected =
            "must be a list of numbers from \(range.lowerBound) to \(range.upperBound)"
        guard case .array(let elements) = value else { throw refusal(.malformed, key, expected) }
        var numbers: [Double] = []
        for element in elements {
            switch element {
            case .integer(let number) where range.contains(Double(number)):
                numbers.append(Double(number))
            case .number(let number) where range.contains(number): numbers.append(number)
            default: throw refusal(.malformed, key, expected)
            }
        }
        return numbers
    }

    /// A list of texts.
    ///
    /// - Throws: `ModelError` `.malformed`.
    package func strings(
        _ key: String, default fallback: [String]? = nil
    ) throws(ModelError) -> [String] {
        guard let value = value(key) else { return try missing(key, fallback) }
        guard case .array(let elements) = value else {
            throw refusal(.malformed, key, "must be a list of texts")
        }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else {
                throw refusal(.malformed, key, "must be a list of texts")
            }
            texts.append(text)
        }
        return texts
    }

    /// A side in pixels, given as a number or as two equal ones.
    ///
    /// - Throws: `ModelError` `.malformed`, or `.unsupported` for two that differ.
    package func side(
        _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>
    ) throws(ModelError) -> Int {
        guard case .array = value(key) else {
            return try integer(key, default: fallback, in: range)
        }
        let sides = try integers(key, in: range)
        guard sides.count == 2, sides[0] == sides[1] else {
            throw refusal(.unsupported, key, "must be one number or two equal ones")
        }
        return sides[0]
    }

    /// Checks that a key is missing or null.
    ///
    /// - Throws: `ModelError` `.unsupported`.
    package func absent(_ key: String) throws(ModelError) {
        if value(key) != nil { throw refusal(.unsupported, key, "must be null") }
    }

    private func missing<T>(_ key: String, _ fallback: T?) throws(ModelError) -> T {
        if let fallback { return fallback }
        throw refusal(.malformed, key, "is required")
    }
}
