/// What a case found wrong, in one sentence.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A case that this device does not claim to serve, and why.
struct Skip: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// `value`, or a failure that says `message`.
func expect<T>(_ value: T?, _ message: @autoclosure () -> String) throws -> T {
    guard let value else { throw Failure(message()) }
    return value
}

/// Fails with `message` unless `condition` holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    guard condition else { throw Failure(message()) }
}
