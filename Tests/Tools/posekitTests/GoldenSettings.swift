import Foundation
import PosedTesting

/// The settings beside a golden of a solve or a whole picture.
struct GoldenSettings: Decodable {
    let solver: String
    let steps: Int
    let guidance: Double
    let shift: Double
    let seed: UInt64?
    let lastStepFirstOrder: Bool?

    enum CodingKeys: String, CodingKey {
        case solver, steps, guidance, seed
        case shift = "time_shift"
        case lastStepFirstOrder = "last_step_first_order"
    }

    /// Reads a golden's settings.
    init(_ path: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: Goldens.url(path)))
    }

    /// The options that say the same to `posekit`.
    var options: [String] {
        [
            "--solver", solver, "--steps", "\(steps)", "--guidance", "\(guidance)",
            "--time-shift", "\(shift)",
        ] + (seed.map { ["--seed", "\($0)"] } ?? [])
            + (lastStepFirstOrder == false ? ["--no-last-step-first-order"] : [])
    }
}
