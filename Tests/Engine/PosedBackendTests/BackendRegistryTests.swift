import PosedBackend
import Testing

@Suite struct BackendRegistryTests {
    private func entry(
        _ name: String, score: Int, devices: Int = 1
    ) throws -> BackendRegistry.Entry {
        BackendRegistry.Entry(
            file: try PluginFile(path: "/p/libposed-backend-\(name).so"),
            report: ProbeReport(score: score, devices: devices, version: "1", summary: "fine"))
    }

    private func registry() throws -> BackendRegistry {
        let crashed = BackendRegistry.Entry(
            file: try PluginFile(path: "/p/libposed-backend-bad.so"),
            report: ProbeReport(refusal: BackendError(.crashed, "the probe was killed by SIGILL")))
        return BackendRegistry(entries: [
            try entry("blas", score: 10), crashed, try entry("cuda", score: 100, devices: 2),
            try entry("example", score: 1), try entry("old", score: 0),
        ])
    }

    @Test func bestComesFirst() throws {
        #expect(try registry().entries.map(\.name) == ["cuda", "blas", "example", "bad", "old"])
    }

    @Test func automaticTakesTheHighestScore() throws {
        #expect(try registry().entry(for: .automatic).name == "cuda")
    }

    @Test func automaticLeavesTheExampleAlone() throws {
        let registry = BackendRegistry(entries: [try entry("example", score: 1)])
        let error = #expect(throws: BackendError.self) { try registry.entry(for: .automatic) }
        #expect(error?.code == .notFound)
        #expect(try registry.entry(for: BackendSelection(plugin: "example")).name == "example")
    }

    @Test func whereNothingCanBeUsedEachSaysWhy() throws {
        let crashed = BackendRegistry.Entry(
            file: try PluginFile(path: "/p/libposed-backend-bad.so"),
            report: ProbeReport(refusal: BackendError(.crashed, "the probe was killed by SIGILL")))
        let unsuited = BackendRegistry.Entry(
            file: try PluginFile(path: "/p/libposed-backend-cuda.so"),
            report: ProbeReport(score: 0, devices: 0, version: "1", summary: "there is no driver"))
        let registry = BackendRegistry(
            entries: [unsuited, crashed, try entry("example", score: 1)])
        let error = #expect(throws: BackendError.self) { try registry.entry(for: .automatic) }
        #expect(
            error?.message
                == "no backend can be used here; example: it is used only when it is named; "
                + "bad: \(crashed.report.summary); cuda: there is no driver")
        #expect(crashed.report.summary.contains("killed by SIGILL"))
    }

    @Test func nameOverridesTheScore() throws {
        #expect(try registry().entry(for: BackendSelection(plugin: "blas")).name == "blas")
    }

    @Test func missingNameListsWhatWasFound() throws {
        let registry = try registry()
        let error = #expect(throws: BackendError.self) {
            try registry.entry(for: BackendSelection(plugin: "metal"))
        }
        #expect(error?.code == .notFound)
        #expect(
            error?.message
                == "there is no backend \"metal\"; found: cuda (score 100), blas (score 10), "
                + "example (score 1), bad (not usable), old (not usable)")
    }

    @Test func unusableNameSaysWhy() throws {
        let registry = try registry()
        let error = #expect(throws: BackendError.self) {
            try registry.entry(for: BackendSelection(plugin: "bad"))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("killed by SIGILL") == true)
    }

    @Test func indexMustExist() throws {
        let registry = try registry()
        let second = BackendSelection(plugin: "cuda", index: 1)
        #expect(try registry.entry(for: second).name == "cuda")
        let error = #expect(throws: BackendError.self) {
            try registry.entry(for: BackendSelection(plugin: "cuda", index: 2))
        }
        #expect(error?.code == .notFound)
    }

    @Test func emptyRegistryRefuses() {
        let registry = BackendRegistry(entries: [])
        let error = #expect(throws: BackendError.self) { try registry.entry(for: .automatic) }
        #expect(error?.message == "no backend can be used here; no plugin was found")
    }

    @Test func discoverySurvivesTheCrashingPlugin() throws {
        let found = try BackendRegistry.discover(
            PluginSearchPath(folders: [Plugins.folder]), prober: Plugins.prober())
        let crashing = try #require(found.entries.first { $0.name == "crashing" })
        #expect(crashing.report.status == .crashed)
        let example = try #require(found.entries.first { $0.name == "example" })
        #expect(example.report.status == .usable)
        #expect(example.report.version == "1.0")
    }

    @Test func openedDevicesAreShared() throws {
        let found = try BackendRegistry.discover(
            PluginSearchPath(folders: [Plugins.folder]), prober: Plugins.prober())
        let devices = try found.open(Placement(parsing: "example"))
        #expect(devices.vae === devices.transformer)
        #expect(devices.sourceEncoder === devices.transformer)
        #expect(try devices.vae.info().name == "plain loops, 1 thread")
        let error = #expect(throws: BackendError.self) {
            try found.open(BackendSelection(plugin: "crashing"))
        }
        #expect(error?.code == .unsupported)
    }
}
