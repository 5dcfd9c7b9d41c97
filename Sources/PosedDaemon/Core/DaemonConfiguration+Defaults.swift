package import PosedServing

extension DaemonConfiguration {
    /// Has an engine look at what requests get that say nothing themselves.
    ///
    /// - Parameter check: throws `ServingError` for settings that no request may have under the limits.
    /// - Throws: ``ConfigurationProblems`` that name the setting to blame.
    package func checkDefaults(
        _ check: (FrameSettings, ServingLimits) throws -> Void
    ) throws(ConfigurationProblems) {
        do {
            try check(requestDefaults.settings, servingLimits)
        } catch {
            let setting = setting(of: (error as? ServingError)?.field)
            throw ConfigurationProblems([
                problem(setting, "should suit requests that say nothing themselves; \(error)")
            ])
        }
    }

    /// The setting that decides a field of a request that does not say it; what none decides is the model's.
    private func setting(of field: ServingError.Field?) -> any AnySetting {
        switch field {
        case .solver: return Settings.Sampling.solver
        case .guidance: return Settings.Sampling.guidance
        case .timeShift: return Settings.Sampling.timeShift
        case .budget where self[Settings.Sampling.nfe] != nil: return Settings.Sampling.nfe
        case .budget: return Settings.Limits.maxNfe
        case .width, .height: return Settings.Limits.maxSide
        default: return Settings.Model.folder
        }
    }
}
