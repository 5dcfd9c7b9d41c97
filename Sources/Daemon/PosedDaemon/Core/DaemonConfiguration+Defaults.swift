import PosedErrors
package import PosedServing

extension DaemonConfiguration {
    /// Has an engine look at what requests get that say nothing themselves.
    ///
    /// - Parameter check: throws `RequestError` for settings that no request may have under the limits.
    /// - Throws: ``ConfigurationProblems`` that name the setting to blame.
    package func checkDefaults(
        _ check: (FrameSettings, ServingLimits) throws -> Void
    ) throws(ConfigurationProblems) {
        do {
            try check(requestDefaults.settings, servingLimits(memoryShares(idle: 0)))
        } catch {
            let refusal = error as? RequestError
            let sentence = refusal?.message ?? String(describing: error)
            throw ConfigurationProblems([
                problem(
                    setting(of: refusal?.field),
                    "should suit requests that say nothing themselves; \(sentence)")
            ])
        }
    }

    /// The setting of the configuration that gives a field its value when the request leaves it out; the
    /// model's folder for fields that no setting gives a value.
    private func setting(of field: FieldPath?) -> any AnySetting {
        switch field?.description {
        case "settings.solver": return Settings.Sampling.solver
        case "settings.guidance_scale": return Settings.Sampling.guidance
        case "settings.time_shift": return Settings.Sampling.timeShift
        case "settings.nfe" where self[Settings.Sampling.nfe] != nil: return Settings.Sampling.nfe
        case "settings.nfe", "settings.steps": return Settings.Limits.maxNfe
        case "settings.width", "settings.height": return Settings.Limits.maxSide
        default: return Settings.Model.folder
        }
    }
}
