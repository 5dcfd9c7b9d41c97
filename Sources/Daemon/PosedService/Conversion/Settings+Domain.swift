package import PosedErrors
package import PosedProtos
package import PosedServing

extension Posed_V1_SynthesisSettings {
    /// The shift of a time grid is between these.
    private static let timeShifts = 0.01...100

    /// Scales of guidance are between these.
    private static let guidanceScales = 0.0...100

    /// The longest name of a solver that is looked up.
    private static let maxSolverCharacters = 64

    /// The settings at `path`, within the daemon's limits. Throws `RequestError`.
    package func settings(at path: FieldPath, limits: ServingLimits) throws -> FrameSettings {
        var settings = FrameSettings()
        let evaluations = 1...limits.maxEvaluations
        if hasSolver { settings.solver = try checkedSolver(at: path.field("solver")) }
        switch budget {
        case .nfe(let nfe)?:
            settings.evaluations = try path.field("nfe").checked(nfe, in: evaluations)
        case .steps(let steps)?:
            settings.steps = try path.field("steps").checked(steps, in: evaluations)
        case nil: break
        }
        if hasGuidanceScale {
            settings.guidance = try path.field("guidance_scale").checked(
                guidanceScale, in: Self.guidanceScales)
        }
        if hasSeed { settings.seed = seed }
        if hasTimeShift {
            settings.timeShift = try path.field("time_shift").checked(
                timeShift, in: Self.timeShifts)
        }
        if hasLastStepFirstOrder { settings.lastStepFirstOrder = lastStepFirstOrder }
        if hasWidth || hasHeight {
            let sides = 1...limits.maxSide
            settings.width = try path.field("width").checked(width, in: sides)
            settings.height = try path.field("height").checked(height, in: sides)
        }
        if hasMinNfe {
            settings.minimumEvaluations = try path.field("min_nfe").checked(
                minNfe, in: 0...(settings.evaluations ?? limits.maxEvaluations))
        }
        settings.format = try imageFormat.format(at: path.field("image_format"))
        if hasJpegQuality {
            let field = path.field("jpeg_quality")
            guard case .jpeg? = settings.format else {
                throw field.refusal(expected: "it with IMAGE_FORMAT_JPEG alone", got: jpegQuality)
            }
            settings.format = .jpeg(quality: try field.checked(jpegQuality, in: 1...100))
        }
        return settings
    }

    private func checkedSolver(at path: FieldPath) throws -> String {
        guard (1...Self.maxSolverCharacters).contains(solver.count) else {
            throw path.refusal(
                expected: "a name of 1 to \(Self.maxSolverCharacters) characters",
                got: "\(solver.count)")
        }
        return solver
    }

    /// Settings, as far as they say something.
    package init(_ settings: FrameSettings) {
        self.init()
        if let value = settings.solver { solver = value }
        if let value = settings.evaluations { nfe = Int32(clamping: value) }
        if let value = settings.steps { steps = Int32(clamping: value) }
        if let value = settings.guidance { guidanceScale = value }
        if let value = settings.seed { seed = value }
        if let value = settings.timeShift { timeShift = value }
        if let value = settings.lastStepFirstOrder { lastStepFirstOrder = value }
        if let value = settings.width { width = Int32(clamping: value) }
        if let value = settings.height { height = Int32(clamping: value) }
        if let value = settings.minimumEvaluations { minNfe = Int32(clamping: value) }
        imageFormat = Posed_V1_ImageFormat(settings.format)
        if case .jpeg(let quality)? = settings.format { jpegQuality = Int32(clamping: quality) }
    }
}

extension Posed_V1_ImageFormat {
    /// The format at `path`; nil where nothing is said. Throws `RequestError`.
    func format(at path: FieldPath) throws -> PictureFormat? {
        switch self {
        case .unspecified: nil
        case .png: .png
        case .rawRgb8: .raw
        case .jpeg: .jpeg
        case .UNRECOGNIZED(let number):
            throw path.refusal(expected: "a known format", got: number)
        }
    }

    /// A format, or that nothing is said.
    init(_ format: PictureFormat?) {
        switch format {
        case .png: self = .png
        case .raw: self = .rawRgb8
        case .jpeg: self = .jpeg
        case nil: self = .unspecified
        }
    }
}
