/// Where a value stands in a request, as its sender would write it: `sources[2].png`.
package struct FieldPath: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The path as it is written.
    package let description: String

    /// A field of the request itself, or a path of several steps such as `settings.nfe`.
    package init(_ name: String) { description = name }

    /// A field of the request itself, or a path of several steps such as `settings.nfe`.
    package init(stringLiteral name: String) { description = name }

    /// A field of the message at this path.
    package func field(_ name: String) -> FieldPath { FieldPath("\(description).\(name)") }

    /// An element of the list at this path.
    package subscript(index: Int) -> FieldPath { FieldPath("\(description)[\(index)]") }

    /// The rest of this path below `ancestor`, with its leading separator; empty when they are equal, nil
    /// when this path does not lie below it.
    func steps(below ancestor: FieldPath) -> Substring? {
        guard description.hasPrefix(ancestor.description) else { return nil }
        let rest = description.dropFirst(ancestor.description.count)
        return rest.isEmpty || rest.hasPrefix(".") || rest.hasPrefix("[") ? rest : nil
    }

    /// This path, continued.
    func appending(_ rest: Substring) -> FieldPath { FieldPath(description + rest) }
}

extension FieldPath {
    /// The refusal of the value at this path, INVALID_ARGUMENT.
    ///
    /// - Parameters:
    ///   - expected: The values that may stand here, as in "a number from 1 to 200".
    ///   - got: The value that came, as in "0".
    package func refusal(
        expected: String, got: some CustomStringConvertible, cause: (any Error)? = nil
    ) -> RequestError {
        RequestError(
            .invalidArgument, "expected \(expected), got \(got)", at: self, cause: cause)
    }

    /// Returns a number within bounds; throws the refusal of any other.
    package func checked(
        _ value: Int32, in bounds: ClosedRange<Int>
    ) throws(RequestError) -> Int {
        guard bounds.contains(Int(value)) else {
            throw refusal(
                expected: "a number from \(bounds.lowerBound) to \(bounds.upperBound)", got: value)
        }
        return Int(value)
    }

    /// Returns a finite number within bounds; throws the refusal of any other.
    package func checked(
        _ value: Double, in bounds: ClosedRange<Double>
    ) throws(RequestError) -> Double {
        guard bounds.contains(value) else {
            let plain = { (bound: Double) in Int(exactly: bound).map(String.init) ?? "\(bound)" }
            throw refusal(
                expected:
                    "a number from \(plain(bounds.lowerBound)) to \(plain(bounds.upperBound))",
                got: value)
        }
        return value
    }
}
