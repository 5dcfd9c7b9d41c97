import PosedPipeline
import PosedWeights

/// The output of `synthesize --json`.
struct SynthesisReport: Encodable {
    /// One picture made.
    struct Picture: Encodable {
        let pose: String
        let out: String
        let nfe: Int
        let milliseconds: [String: Double]
    }

    /// A part's weights.
    struct Part: Encodable {
        let source: String
        let tensors: Int
        let parameters: Int
        let bytes: Int
        let seconds: Double

        init(_ report: LoadReport) {
            source = report.source
            tensors = report.tensors
            parameters = report.parameters
            bytes = report.totalBytes
            seconds = report.seconds.rounded(to: 3)
        }
    }

    let seed: UInt64
    let solver: String
    let guidance: Double
    let timeShift: Double
    let lastStepFirstOrder: Bool
    let width: Int
    let height: Int
    let backends: [String: String]
    let parts: [Part]
    /// The stages before the pictures: load and source.
    let milliseconds: [String: Double]
    let pictures: [Picture]

    enum CodingKeys: String, CodingKey {
        case seed, solver, guidance, width, height, backends, parts, milliseconds, pictures
        case timeShift = "time_shift"
        case lastStepFirstOrder = "last_step_first_order"
    }
}
