import PosedWeights
import Testing

@Suite struct LoadReportTests {
    @Test func saysItInOneLine() throws {
        let scratch = try Scratch()
        var writer = SafetensorsWriter()
        try writer.add(
            "a", shape: [500, 500], floats: [Float](repeating: 1, count: 250_000), as: .bf16)
        try writer.add("b", shape: [30_000], floats: [Float](repeating: 1, count: 30_000))
        try writer.add("c", shape: [1], floats: [1])
        try writer.write(to: scratch.file("x.safetensors"))
        let reader = WeightReader(try WeightStore(folder: scratch.path, base: "x"))
        _ = reader.tensor("a", shape: [500, 500])
        _ = reader.tensor("b", shape: [30_000])
        let report = try reader.finish(allowUnused: ["*"])
        #expect(report.totalBytes == 620_000)
        #expect(report.seconds >= 0)
        let line = "\(scratch.file("x.safetensors")): 2 tensors, 0.3 M parameters, 0.6 MB "
        #expect(report.description.hasPrefix(line + "(BF16 + F32), 1 unused, "))
        #expect(report.description.hasSuffix(" ms"))
    }
}
