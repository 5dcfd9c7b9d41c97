package import PosedSolvers

/// How a picture is to be made, as far as somebody has said; what is nil the next in line says: the
/// frame, its stream, its session, the model.
package struct FrameSettings: Sendable, Equatable, Codable {
    /// A solver's name.
    package var solver: String?
    /// Velocity evaluations at most; at most one of this and `steps`.
    package var evaluations: Int?
    /// Steps of the solver.
    package var steps: Int?
    /// The scale of classifier-free guidance; 1 is without.
    package var guidance: Double?
    /// The seed of the noise.
    package var seed: UInt64?
    /// The shift of the time grid.
    package var timeShift: Double?
    /// Whether the last step on a fixed grid is of first order, see `SamplingSettings`.
    package var lastStepFirstOrder: Bool?
    /// Width and height of the picture in pixels.
    package var width: Int?
    package var height: Int?
    /// The least number of evaluations of a frame that would be late otherwise; 0: all of them.
    package var minimumEvaluations: Int?
    /// How the picture is to be sent. The engine keeps it with a session and makes nothing of it.
    package var format: PictureFormat?

    /// Nothing said.
    package init() {}

    /// These settings where they say something, `base` where they do not.
    package func over(_ base: FrameSettings) -> FrameSettings {
        var result = self
        result.solver = solver ?? base.solver
        if evaluations == nil, steps == nil {
            result.evaluations = base.evaluations
            result.steps = base.steps
        }
        result.guidance = guidance ?? base.guidance
        result.seed = seed ?? base.seed
        result.timeShift = timeShift ?? base.timeShift
        result.lastStepFirstOrder = lastStepFirstOrder ?? base.lastStepFirstOrder
        if width == nil, height == nil {
            result.width = base.width
            result.height = base.height
        }
        result.minimumEvaluations = minimumEvaluations ?? base.minimumEvaluations
        result.format = format ?? base.format
        return result
    }

    /// The budget said, if any.
    package var budget: StepBudget? {
        evaluations.map(StepBudget.evaluations) ?? steps.map(StepBudget.steps)
    }
}
