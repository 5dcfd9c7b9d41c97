public import ArgumentParser

extension Duration: @retroactive ExpressibleByArgument {
    /// `500ms`, `2s`, `1.5m`, `1h`, `1d`; a number alone is in seconds. Nil for anything else, negative
    /// ones among it.
    public init?(argument: String) {
        let digits = argument.prefix { $0.isNumber || $0 == "." }
        let units: [Substring: Double] = [
            "us": 1e-6, "ms": 1e-3, "": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400,
        ]
        guard let value = Double(digits), let unit = units[argument.dropFirst(digits.count)],
            value * unit <= 1e10
        else { return nil }
        self = .nanoseconds(Int64((value * unit * 1e9).rounded()))
    }

    /// The duration that an option gives. Throws `ValidationError`, which says what is expected.
    @Sendable static func parsed(_ text: String) throws -> Duration {
        guard let duration = Duration(argument: text) else {
            throw ValidationError("expected a time such as 500ms, 2s, 1.5m or 1h")
        }
        return duration
    }
}
