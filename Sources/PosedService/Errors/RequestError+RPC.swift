package import PosedErrors
package import PosedRPC
import PosedServing

extension FieldPath {
    /// Runs a reading of the value at this path; an error that does not know its field gets this one.
    ///
    /// - Throws: `RequestError`, and `CancellationError`.
    func reading<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw RequestError(error, at: self)
        }
    }
}

extension RPCError {
    /// The status that a caller gets: code, sentence, and the details of `google.rpc`.
    package init(_ error: RequestError) {
        self.init(
            StatusCode(rawValue: error.code.rawValue), error.description, cause: error.cause)
    }
}
