import ArgumentParser
import PosedOptions
import PosedProtos

/// How pictures are to be made; what is not said, the session says, then the model.
struct SettingsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A solver, as `posectl solvers` lists them.", valueName: "name"))
    var solver: String?

    @Option(
        help: ArgumentHelp(
            "Velocity evaluations (NFE) at most; refused where the solver needs more for a step.",
            valueName: "n"))
    var nfe: Int32?

    @Option(help: ArgumentHelp("Steps of the solver, instead of --nfe.", valueName: "n"))
    var steps: Int32?

    @Option(help: ArgumentHelp("The scale of guidance; 1 is without.", valueName: "w"))
    var guidance: Double?

    @Option(help: ArgumentHelp("The seed of the noise.", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("The shift of the time grid; 1 is without.", valueName: "s"))
    var timeShift: Double?

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Whether the last step of heun, rk4 and their like is Euler's; without it the model "
                + "says."))
    var lastStepFirstOrder: Bool?

    @Option(help: ArgumentHelp("The picture's size in pixels, such as 256x256.", valueName: "wxh"))
    var size: PictureSize?

    @Option(
        help: ArgumentHelp(
            "The least evaluations of a frame that would be late otherwise; 0: all of them.",
            valueName: "n"))
    var minNfe: Int32?

    mutating func validate() throws {
        if nfe != nil, steps != nil {
            throw ValidationError("--nfe and --steps exclude each other")
        }
    }

    /// The settings, as far as they say something.
    var message: Posed_V1_SynthesisSettings {
        var message = Posed_V1_SynthesisSettings()
        if let solver { message.solver = solver }
        if let nfe { message.nfe = nfe }
        if let steps { message.steps = steps }
        if let guidance { message.guidanceScale = guidance }
        if let seed { message.seed = seed }
        if let timeShift { message.timeShift = timeShift }
        if let lastStepFirstOrder { message.lastStepFirstOrder = lastStepFirstOrder }
        if let size {
            message.width = Int32(clamping: size.width)
            message.height = Int32(clamping: size.height)
        }
        if let minNfe { message.minNfe = minNfe }
        return message
    }
}
