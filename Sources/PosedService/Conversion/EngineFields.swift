import PosedServing

/// What a request calls the things that the engine may find wrong with it; nil for what it does not have.
struct EngineFields: Sendable {
    var session: FieldPath?
    var model: FieldPath?
    var sources: FieldPath?
    var pose: FieldPath?
    var settings: FieldPath?
    /// The field of the settings that says how much work there may be.
    var budget = "nfe"
    var warmStart: FieldPath?
    var maxLag: FieldPath?
    var pageToken: FieldPath?

    /// The engine's error, told with the path of the field that it is about.
    func told(_ error: ServingError) -> ServingError {
        guard let field = error.field, let path = path(of: field) else { return error }
        return ServingError(error.code, "\(path): \(error.message)", cause: error)
    }

    /// Runs a call of the engine; its errors are told with their fields' paths.
    func telling<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as ServingError {
            throw told(error)
        }
    }

    private func path(of field: ServingError.Field) -> FieldPath? {
        switch field {
        case .session: session
        case .model: model
        case .sources: sources
        case .pose: pose
        case .pageToken: pageToken
        case .solver: settings?.field("solver")
        case .guidance: settings?.field("guidance_scale")
        case .timeShift: settings?.field("time_shift")
        case .width: settings?.field("width")
        case .height: settings?.field("height")
        case .minimumEvaluations: settings?.field("min_nfe")
        case .budget: settings?.field(budget)
        case .warmStart: warmStart
        case .maxLag: maxLag
        }
    }
}
