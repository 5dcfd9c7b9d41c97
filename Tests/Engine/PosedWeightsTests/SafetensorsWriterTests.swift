import PosedWeights
import Testing

@Suite struct SafetensorsWriterTests {
    @Test func roundTrips() throws {
        let scratch = try Scratch()
        let values: [Float] = [0, -0.0, 1.5, -3e38, 0x1p-149, .infinity]
        var writer = SafetensorsWriter(metadata: ["made \"by\"": "a\ttest\\", "é": "ü"])
        try writer.add("x.y", shape: [2, 3], floats: values)
        try writer.add("scalar", shape: [], floats: [7])
        try writer.add("empty", shape: [3, 0], floats: [])
        try writer.add("odd \"name\"\n", dtype: .u8, shape: [3], bytes: [1, 2, 3])
        try writer.add("ids", dtype: .i64, shape: [1], bytes: [1, 0, 0, 0, 0, 0, 0, 0])
        try writer.add("half", shape: [2], floats: [0.5, -2], as: .f16)
        try writer.write(to: scratch.file("x.safetensors"))

        let file = try SafetensorsFile(path: scratch.file("x.safetensors"))
        #expect(file.metadata == ["made \"by\"": "a\ttest\\", "é": "ü"])
        #expect(file.tensors.count == 6)
        #expect(file["x.y"]?.shape == [2, 3])
        #expect(file["x.y"]?.floats().map(\.bitPattern) == values.map(\.bitPattern))
        #expect(file["scalar"]?.shape == [])
        #expect(file["scalar"]?.floats() == [7])
        #expect(file["empty"]?.shape == [3, 0])
        #expect(file["odd \"name\"\n"].map { Array($0.bytes) } == [1, 2, 3])
        #expect(file["ids"]?.dtype == .i64)
        #expect(file["half"]?.floats() == [0.5, -2])
        #expect(try scratch.contents == ["x.safetensors"])

        var again = SafetensorsWriter(metadata: file.metadata)
        for tensor in file.tensors.reversed() { try again.add(tensor) }
        try again.write(to: scratch.file("again.safetensors"))
        #expect(try scratch.read("again.safetensors") == scratch.read("x.safetensors"))
    }

    @Test func roundsToNearestEven() throws {
        let scratch = try Scratch()
        // Halfway cases around 1: bfloat16 has 7 bits of fraction, half has 10.
        var writer = SafetensorsWriter()
        let bf16: [Float] = [1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-20, 3.4e38, -0.0]
        let f16: [Float] = [1 + 0x1p-11, 1 + 3 * 0x1p-11, 65519, 65520, 0x1p-25]
        try writer.add("bf16", shape: [5], floats: bf16, as: .bf16)
        try writer.add("f16", shape: [5], floats: f16, as: .f16)
        try writer.add("nan", shape: [1], floats: [.nan], as: .bf16)
        try writer.write(to: scratch.file("x"))
        let file = try SafetensorsFile(path: scratch.file("x"))
        #expect(
            try file.tensor("bf16").floats()
                == [1, 1 + 0x1p-6, 1 + 0x1p-7, .infinity, -0.0])
        #expect(try file.tensor("f16").floats() == [1, 1 + 0x1p-9, 65504, .infinity, 0])
        #expect(try file.tensor("nan").floats()[0].isNaN)
    }

    @Test func refusesWhatDoesNotFit() throws {
        var writer = SafetensorsWriter()
        try writer.add("a", shape: [2], floats: [1, 2])
        let twice = #expect(throws: WeightsError.self) {
            try writer.add("a", shape: [2], floats: [1, 2])
        }
        #expect(twice?.code == .unwritable)
        #expect(twice?.message == "tensor \"a\": the name is taken")
        let bent = #expect(throws: WeightsError.self) {
            try writer.add("b", shape: [3], floats: [1, 2])
        }
        #expect(bent?.message == "tensor \"b\": shape [3] of F32 expected, but 8 bytes came")
        #expect(throws: WeightsError.self) {
            try writer.add("c", shape: [1], floats: [1], as: .i64)
        }
        #expect(throws: WeightsError.self) {
            try writer.add("__metadata__", shape: [1], floats: [1])
        }
        #expect(throws: WeightsError.self) {
            try writer.add("d", shape: [.max, .max], floats: [1])
        }
    }

    @Test func leavesNothingBehindWhereItCannotWrite() throws {
        let scratch = try Scratch()
        var writer = SafetensorsWriter()
        try writer.add("a", shape: [1], floats: [1])
        let absent = scratch.file("absent/x.safetensors")
        let error = #expect(throws: WeightsError.self) { try writer.write(to: absent) }
        #expect(error?.code == .unwritable)
        #expect(error?.message == "\(absent): cannot be written: No such file or directory")
        // A folder in the way: the rename fails, and the temporary file goes.
        try scratch.write([1], to: "keep")
        #expect(throws: WeightsError.self) { try writer.write(to: scratch.path) }
        #expect(try scratch.contents == ["keep"])
    }

    @Test func replacesAFileWhole() throws {
        let scratch = try Scratch()
        try scratch.write([UInt8](repeating: 9, count: 5000), to: "x.safetensors")
        var writer = SafetensorsWriter()
        try writer.add("a", shape: [1], floats: [1])
        try writer.write(to: scratch.file("x.safetensors"))
        #expect(try SafetensorsFile(path: scratch.file("x.safetensors"))["a"]?.floats() == [1])
    }
}
