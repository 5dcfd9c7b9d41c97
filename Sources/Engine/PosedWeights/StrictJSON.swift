/// A JSON value, read strictly: one value and nothing after it, no duplicate keys, no lone
/// surrogates, bounded nesting. Objects keep the order of their members.
enum StrictJSON: Sendable {
    case object([(key: String, value: StrictJSON)])
    case array([StrictJSON])
    case string(String)
    /// A number written without fraction or exponent that fits an `Int`.
    case integer(Int)
    /// Any other number, by its text.
    case number(String)
    case bool(Bool)
    case null

    /// Why a text is not acceptable JSON, and where.
    struct Fault: Error {
        let message: String
        let offset: Int
    }

    /// Reads a whole text. `offset` in a fault counts bytes from its beginning.
    init(parsing bytes: UnsafeRawBufferPointer, maxDepth: Int = 32) throws(Fault) {
        var parser = Parser(bytes: bytes, maxDepth: maxDepth)
        self = try parser.document()
    }

    /// The kind of value, for messages.
    var kind: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .integer: "an integer"
        case .number: "a number that is no integer"
        case .bool: "a boolean"
        case .null: "null"
        }
    }
}
