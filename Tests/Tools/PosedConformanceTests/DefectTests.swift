import CPosedBackend
import Foundation
import PosedBackend
import PosedConformance
import Testing

/// The example's own operations, for a defect that calls one. It is written before the first call, and by one
/// defect alone.
nonisolated(unsafe) private var soundTable: posed_backend?

/// The suite finds what is wrong: each defect is planted into the example plugin, and has to show.
@Suite struct DefectTests {
    /// A defect, and a part of the name of a case that must fail for it.
    struct Defect: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let shows: String
        let plant: @Sendable (inout posed_backend) -> Void

        init(
            _ name: String, shows: String,
            _ plant: @escaping @Sendable (inout posed_backend) -> Void
        ) {
            (testDescription, self.shows, self.plant) = (name, shows, plant)
        }
    }

    static let defects = [
        Defect("linear does nothing", shows: "linear f32·f32→f32 b1 t1 k1 n1") {
            $0.linear = { _, _, _ in POSED_OK }
        },
        Defect("conv2d does nothing", shows: "conv2d f32·f32→f32") {
            $0.conv2d = { _, _, _ in POSED_OK }
        },
        Defect("group norm does nothing", shows: "group norm f32→f32") {
            $0.group_norm = { _, _, _ in POSED_OK }
        },
        Defect("layer norm does nothing", shows: "layer norm f32→f32") {
            $0.layer_norm = { _, _, _ in POSED_OK }
        },
        Defect("attention does nothing", shows: "attention f32") {
            $0.attention = { _, _, _ in POSED_OK }
        },
        Defect("attention forgets its bias", shows: "bias dense") { table in
            soundTable = table
            table.attention = { stream, desc, error in
                guard var plain = desc?.pointee else { return POSED_INTERNAL }
                plain.bias.buffer = nil
                return soundTable?.attention?(stream, &plain, error) ?? POSED_INTERNAL
            }
        },
        Defect("copy does nothing", shows: "copy f32→f32") { $0.copy = { _, _, _ in POSED_OK } },
        Defect("combine does nothing", shows: "combine f32") {
            $0.combine = { _, _, _ in POSED_OK }
        },
        Defect("activate does nothing", shows: "activate f32→f32") {
            $0.activate = { _, _, _ in POSED_OK }
        },
        Defect("glu does nothing", shows: "glu f32→f32") { $0.glu = { _, _, _ in POSED_OK } },
        Defect("quantize does nothing", shows: "quantize f32") {
            $0.quantize = { _, _, _ in POSED_OK }
        },
        Defect("refusals are silent", shows: "refuse linear") {
            $0.linear = { _, _, _ in POSED_INVALID_ARGUMENT }
        },
        Defect("a launch does nothing", shows: "graph: a replay") {
            $0.graph_launch = { _, _, _ in POSED_OK }
        },
        Defect("nothing is supported", shows: "linear f32·f32→f32") {
            $0.supports = { _, _, _ in 0 }
        },
        Defect("every compute type is claimed", shows: "linear bf16·bf16→bf16") {
            $0.supports = { _, _, _ in 1 }
        },
        Defect("downloads are empty", shows: "transfer: parts of a buffer") {
            $0.download = { _, _, _, _, _, _ in POSED_OK }
        },
        Defect("an empty buffer for every size", shows: "memory: an absurd size is refused") {
            $0.buffer_create = { _, _, _, _ in POSED_OK }
        },
    ]

    @Test(arguments: defects)
    func defectShows(_ defect: Defect) throws {
        let executable = PluginSearchPath.runningExecutable
        let plugins = PluginSearchPath.standard(environment: [:], executable: executable).plugins()
        let file = try #require(plugins.first { $0.name == "example" })
        let sound = try BackendPlugin(loading: file)
        let table = UnsafeMutablePointer<posed_backend>.allocate(capacity: 1)
        defer { table.deallocate() }
        table.initialize(to: sound.table.pointee)
        defect.plant(&table.pointee)
        let plugin = BackendPlugin(table: table, name: "defect")
        let report = try ConformanceSuite.run(plugin, filter: defect.shows)
        #expect(!report.results(.failed).isEmpty)
        #expect(!report.passed)
        #expect(report.results(.failed).allSatisfy { $0.message?.isEmpty == false })
    }

    /// A plugin of an older version is not held to what came later.
    @Test func olderPluginsAreNotHeldToTheBias() throws {
        let plugins = PluginSearchPath.standard(
            environment: [:], executable: PluginSearchPath.runningExecutable
        ).plugins()
        let file = try #require(plugins.first { $0.name == "example" })
        let table = UnsafeMutablePointer<posed_backend>.allocate(capacity: 1)
        defer { table.deallocate() }
        table.initialize(to: try BackendPlugin(loading: file).table.pointee)
        table.pointee.abi = POSED_BACKEND_ABI_MAJOR << 16
        let older = BackendPlugin(table: table, name: "older")
        let report = try ConformanceSuite.run(older, filter: "bias dense")
        #expect(report.results(.skipped).count == report.results.count && !report.results.isEmpty)
        let device = try Device(plugin: older)
        var query = posed_op_query()
        query.op = POSED_OP_ATTENTION.rawValue
        query.x_dtype = POSED_F32.rawValue
        query.y_dtype = POSED_F32.rawValue
        query.compute = POSED_F32.rawValue
        query.sizes = (2, 64, 0, 0)
        #expect(device.refusal(of: query) == nil)
        query.sizes.2 = 1
        #expect(device.refusal(of: query)?.contains("1.1") == true)
    }
}
