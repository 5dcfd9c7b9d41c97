import PosedRPC

/// Where in a request a value stands, as its sender would write it: `sources[2].png`.
package struct FieldPath: Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The path as it is written.
    package let description: String

    /// A field of the request itself.
    package init(_ name: String) { description = name }

    /// A field of the request itself.
    package init(stringLiteral name: String) { description = name }

    /// A field of the message at this path.
    package func field(_ name: String) -> FieldPath { FieldPath("\(description).\(name)") }

    /// An element of the list at this path.
    package subscript(index: Int) -> FieldPath { FieldPath("\(description)[\(index)]") }

    /// The refusal of what stands here.
    ///
    /// - Parameters:
    ///   - expected: What should stand here, as in "a number from 1 to 200".
    ///   - got: What does, as in "0".
    func refusal(expected: String, got: some CustomStringConvertible) -> ServiceError {
        ServiceError(.invalidRequest, "\(description): expected \(expected), got \(got)")
    }

    /// Runs a reading of what stands here; what is wrong with it is told with the path.
    func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as ServiceError {
            throw error
        } catch {
            guard let status = DomainError.status(of: error), status.code == .invalidArgument else {
                throw error
            }
            throw ServiceError(
                .invalidRequest, "\(description): \(status.message)", cause: error)
        }
    }
}
