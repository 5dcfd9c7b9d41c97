import ArgumentParser
import Foundation
import PosedPipeline
import PosedSolvers

/// How to sample; what is not said here, the model's `sampler/config.json` says.
struct SamplerOptions: ParsableArguments {
    @Option(help: "The solver: euler, heun, midpoint, rk4, or one of --solver-file.")
    var solver: String?

    @Option(
        parsing: .unconditional,
        help: "Velocity evaluations (NFE) at most; as many steps are made as they allow.")
    var nfe: Int?

    @Option(parsing: .unconditional, help: "The number of steps, instead of --nfe.")
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: "The scale of classifier-free guidance; 1 is without.")
    var guidance: Double?

    @Option(parsing: .unconditional, help: "The seed of the noise, from 0 to 2^64 - 1.")
    var seed: UInt64?

    @Option(parsing: .unconditional, help: "The shift of the time grid; 1 is without.")
    var timeShift: Double?

    @Option(
        help: ArgumentHelp(
            "The points of the time grid, in place of steps and shift: times with commas between, or a "
                + "file with a JSON list; from the model's noise to 1.", valueName: "times|file"))
    var timeGrid: String?
    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Whether the last step of a method that evaluates at a step's end, such as heun and rk4, is Euler's; "
                + "without it the model says, else yes."))
    var lastStepFirstOrder: Bool?

    @Option(help: ArgumentHelp("A JSON file with a Butcher tableau.", valueName: "file.json"))
    var solverFile: [String] = []

    @Option(help: ArgumentHelp("A shared library with solvers.", valueName: "lib.so"))
    var solverLibrary: [String] = []

    func validate() throws {
        if nfe != nil, steps != nil {
            throw ValidationError("--nfe and --steps say the same thing; give one of them")
        }
        if timeGrid != nil, nfe != nil || steps != nil || timeShift != nil {
            throw ValidationError("--time-grid takes the place of --nfe, --steps and --time-shift")
        }
    }

    /// The built-in solvers and those of the files named.
    func registry() throws -> SolverRegistry {
        var registry = SolverRegistry()
        for path in solverFile { try registry.add(file: path) }
        for path in solverLibrary { try registry.add(library: path) }
        return registry
    }

    /// The settings of a request, checked.
    ///
    /// A single solver that a file brought is used without being named.
    ///
    /// - Parameter origin: The time of the model's noise; nil where it is not known yet.
    func settings(
        _ defaults: SamplerDefaults, _ solvers: SolverRegistry, origin: Double? = nil
    ) throws -> SamplingSettings {
        var settings = SamplingSettings(defaults)
        let added = Set(solvers.names).subtracting(SolverRegistry().names)
        if let solver {
            settings.solver = solver
        } else if added.count == 1, let only = added.first {
            settings.solver = only
        }
        if let nfe { settings.budget = .evaluations(nfe) }
        if let steps { settings.budget = .steps(steps) }
        if let guidance { settings.guidance = guidance }
        if let seed { settings.seed = seed }
        if let timeShift { settings.timeShift = timeShift }
        if nfe != nil || steps != nil || timeShift != nil { settings.timeGrid = nil }
        if let timeGrid { settings.timeGrid = try points(timeGrid) }
        if let lastStepFirstOrder { settings.lastStepFirstOrder = lastStepFirstOrder }
        try settings.validate()
        _ = try settings.grid(
            try solvers.tableau(settings.solver), origin: origin ?? settings.timeGrid?.first ?? 0)
        return settings
    }

    /// The times of `--time-grid`.
    private func points(_ text: String) throws -> [Double] {
        let words = text.split(separator: ",").map {
            Double($0.trimmingCharacters(in: .whitespaces))
        }
        if words.count > 1, words.allSatisfy({ $0 != nil }) { return words.compactMap(\.self) }
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: text))
            let data = try file.read(upToCount: 1 << 20) ?? Data()
            return try JSONDecoder().decode([Double].self, from: data)
        } catch {
            throw PosekitError(
                .invalidInput,
                "--time-grid \(text): times with commas between expected, or a file with a JSON list "
                    + "of times", cause: error)
        }
    }
}
