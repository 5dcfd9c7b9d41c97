import PosedBackend
import PosedConformance
import Testing

/// Every plugin that was built and can be used here keeps every promise of the interface.
@Suite(.serialized) struct ConformanceTests {
    static let usable: [BackendRegistry.Entry] = {
        let found = try? BackendRegistry.discover(
            PluginSearchPath(folders: [Plugins.folder]), prober: Plugins.prober())
        return found?.entries.filter { $0.report.status == .usable } ?? []
    }()

    @Test func thereIsSomethingToTest() {
        #expect(Self.usable.contains { $0.name == "example" })
    }

    @Test(arguments: usable.map(\.name))
    func pluginConforms(name: String) throws {
        let entry = try #require(Self.usable.first { $0.name == name })
        let report = try ConformanceSuite.run(BackendPlugin(loading: entry.file))
        #expect(report.results(.passed).count >= 500)
        for result in report.results(.failed) {
            Issue.record("\(name): \(result.name): \(result.message ?? "wrong")")
        }
    }
}
