import PosedDaemon
import PosedErrors
import PosedServing
import Testing

@Suite("The defaults of requests")
struct DefaultsTests {
    /// The problem of a configuration whose defaults are refused for a field.
    private func problem(
        _ values: SettingValues = SettingValues(), at field: FieldPath?
    ) -> String? {
        do {
            try DaemonConfiguration(values: values).checkDefaults { _, _ in
                throw RequestError(.invalidArgument, "no good", at: field)
            }
            return nil
        } catch {
            return error.description
        }
    }

    @Test("are shown to the engine as requests get them, with the limits")
    func shown() throws {
        let values = SettingValues().with(Settings.Sampling.solver, "rk4")
            .with(Settings.Sampling.nfe, 12).with(Settings.Limits.maxNfe, 50)
        var seen: (settings: FrameSettings, limits: ServingLimits)?
        try DaemonConfiguration(values: values).checkDefaults { seen = ($0, $1) }
        #expect(seen?.settings.solver == "rk4")
        #expect(seen?.settings.evaluations == 12)
        #expect(seen?.settings.guidance == nil)
        #expect(seen?.limits.maxEvaluations == 50)
    }

    @Test("are refused by the key of the setting that is to blame")
    func blamed() {
        let values = SettingValues().with(Settings.Sampling.solver, "nope")
        #expect(
            problem(values, at: "settings.solver")
                == "code: sampling.solver should suit requests that say nothing themselves; no good"
        )
        let keys: [(FieldPath?, String)] = [
            ("settings.guidance_scale", "sampling.guidance"),
            ("settings.time_shift", "sampling.timeShift"), ("settings.nfe", "limits.maxNfe"),
            ("settings.steps", "limits.maxNfe"), ("settings.width", "limits.maxSide"),
            ("settings.height", "limits.maxSide"), (nil, "model.folder"),
        ]
        for (field, key) in keys {
            #expect(problem(at: field)?.hasPrefix("configuration: \(key) should suit") == true)
        }
        let budget = SettingValues().with(Settings.Sampling.nfe, 3)
        #expect(problem(budget, at: "settings.nfe")?.hasPrefix("code: sampling.nfe should") == true)
    }
}
