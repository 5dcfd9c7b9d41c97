import PosedBase
/// One way in which a file's tensors differ from what a model asks for.
enum WeightProblem {
    case missing(String, expected: [Int])
    case misshapen(String, expected: [Int], actual: [Int])
    case unusable(String, ElementType)
    case notFinite(String, index: Int, value: Float)
    case unexpected(String, actual: [Int])

    /// The most problems that one message lists.
    static let listed = 20

    private var text: String {
        switch self {
        case .missing(let name, let expected):
            "\(name.quoted()) is missing (\(WeightsError.text(expected)) expected)"
        case .misshapen(let name, let expected, let actual):
            "\(name.quoted()) has shape \(WeightsError.text(actual)), "
                + "but \(WeightsError.text(expected)) is expected"
        case .unusable(let name, let dtype):
            "\(name.quoted()) is of type \(dtype), but F32, F16 or BF16 is expected"
        case .notFinite(let name, let index, let value):
            "\(name.quoted()) holds \(value) at element \(index)"
        case .unexpected(let name, let actual):
            "\(name.quoted()) \(WeightsError.text(actual)) is unexpected"
        }
    }

    /// One sentence for all problems, the first ones in full.
    static func summary(_ problems: [WeightProblem], source: String) -> String {
        let count = problems.count == 1 ? "1 tensor does" : "\(problems.count) tensors do"
        let shown = problems.prefix(listed).map(\.text).joined(separator: "; ")
        let more = problems.count > listed ? "; and \(problems.count - listed) more" : ""
        return "\(source): \(count) not fit the model: \(shown)\(more)"
    }
}
