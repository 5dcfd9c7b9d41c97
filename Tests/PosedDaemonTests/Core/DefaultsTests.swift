import PosedDaemon
import PosedServing
import Testing

@Suite("The defaults of requests")
struct DefaultsTests {
    /// The problem of a configuration whose defaults are refused for a field.
    private func problem(
        _ values: SettingValues = SettingValues(), about field: ServingError.Field?
    ) -> String? {
        do {
            try DaemonConfiguration(values: values).checkDefaults { _, _ in
                throw ServingError(.invalidRequest, "no good", about: field)
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
            problem(values, about: .solver)
                == "code: sampling.solver should suit requests that say nothing themselves; no good"
        )
        let keys: [(ServingError.Field?, String)] = [
            (.guidance, "sampling.guidance"), (.timeShift, "sampling.timeShift"),
            (.budget, "limits.maxNfe"), (.width, "limits.maxSide"), (.height, "limits.maxSide"),
            (nil, "model.folder"),
        ]
        for (field, key) in keys {
            #expect(problem(about: field)?.hasPrefix("configuration: \(key) should suit") == true)
        }
        let budget = SettingValues().with(Settings.Sampling.nfe, 3)
        #expect(problem(budget, about: .budget)?.hasPrefix("code: sampling.nfe should") == true)
    }
}
