import Testing

import PosedWeights

@Suite struct WeightReaderTests {
    private func store(_ tensors: [(String, [Int], [Float])]) throws -> WeightStore {
        let made = try tensors.map { name, shape, floats in
            try #require(WeightTensor(name: name, shape: shape, floats: floats))
        }
        return WeightStore(named: "memory", tensors: made)
    }

    @Test func takesWhatItAsksFor() throws {
        let reader = WeightReader(
            try store([("a.b.weight", [2, 2], [1, 2, 3, 4]), ("a.b.bias", [2], [5, 6])]))
        let layer = reader.scoped("a").scoped("b")
        #expect(layer.prefix == "a.b.")
        #expect(layer.tensor("weight", shape: [2, 2]).floats() == [1, 2, 3, 4])
        #expect(layer.optional("bias", shape: [2])?.floats() == [5, 6])
        #expect(layer.optional("other", shape: [2]) == nil)
        #expect(layer.shape(of: "weight") == [2, 2])
        #expect(!reader.hasProblems)
        let report = try reader.finish()
        #expect(report.tensors == 2)
        #expect(report.parameters == 6)
        #expect(report.bytes == [.f32: 24])
        #expect(report.unused == 0)
    }

    @Test func listsEveryProblemAtOnce() throws {
        let scratch = try Scratch()
        var writer = SafetensorsWriter()
        try writer.add("ids", dtype: .i64, shape: [2], bytes: [UInt8](repeating: 0, count: 16))
        try writer.add("bent", shape: [2, 2], floats: [1, 2, 3, 4])
        try writer.add("nan", shape: [3], floats: [0, .nan, 0])
        try writer.add("infinite", shape: [1], floats: [-.infinity])
        try writer.add("extra", shape: [1], floats: [1])
        try writer.write(to: scratch.file("part.safetensors"))
        let reader = WeightReader(try WeightStore(folder: scratch.path, base: "part"))
        #expect(reader.tensor("bent", shape: [4, 1]).floats() == [0, 0, 0, 0])
        #expect(reader.tensor("gone", shape: [2, 3]).shape == [2, 3])
        #expect(reader.tensor("nan", shape: [3]).floats() == [0, 0, 0])
        #expect(!reader.tensor("infinite", shape: [1]).isPresent)
        _ = reader.tensor("ids", shape: [2])
        #expect(reader.hasProblems)
        let error = #expect(throws: WeightsError.self) { try reader.finish() }
        #expect(error?.code == .mismatch)
        #expect(
            error?.message == """
                \(scratch.path)/part.safetensors: 6 tensors do not fit the model: \
                "bent" has shape [2, 2], but [4, 1] is expected; \
                "gone" is missing ([2, 3] expected); \
                "nan" holds nan at element 1; \
                "infinite" holds -inf at element 0; \
                "ids" is of type I64, but F32, F16 or BF16 is expected; \
                "extra" [1] is unexpected
                """)
    }

    @Test func capsTheList() throws {
        let reader = WeightReader(try store([]))
        for index in 0..<50 { _ = reader.tensor("w\(index)", shape: [1]) }
        let error = #expect(throws: WeightsError.self) { try reader.finish() }
        #expect(error?.message.hasPrefix("memory: 50 tensors do not fit the model: \"w0\"") == true)
        #expect(error?.message.hasSuffix("\"w19\" is missing ([1] expected); and 30 more") == true)
    }

    @Test func allowsWhatMayBeUnused() throws {
        let tensors: [(String, [Int], [Float])] = [
            ("a", [1], [1]), ("embeddings.mask_token", [1], [1]), ("x.0.k", [1], [1]),
        ]
        let reader = WeightReader(try store(tensors))
        _ = reader.tensor("a", shape: [1])
        let report = try reader.finish(allowUnused: ["*.mask_token", "x.*.k"])
        #expect(report.unused == 2)
        #expect(report.tensors == 1)
    }

    @Test func knowsOlderNamesAndShapes() throws {
        let reader = WeightReader(
            try store([("query.weight", [2, 1, 1, 1], [1, 2]), ("to_k.weight", [2, 1], [3, 4])]))
        let query = reader.tensor(
            "to_q.weight", aliases: ["query.weight"], shape: [2, 1], alternatives: [[2, 1, 1, 1]])
        #expect(query.shape == [2, 1])
        #expect(query.floats() == [1, 2])
        let key = reader.tensor("to_k.weight", aliases: ["key.weight"], shape: [2, 1])
        #expect(key.floats() == [3, 4])
        #expect(try reader.finish().tensors == 2)
    }

    @Test func countsATensorAskedForTwiceOnce() throws {
        let reader = WeightReader(try store([("a", [2], [1, 2])]))
        _ = reader.tensor("a", shape: [2])
        #expect(reader.tensor("a", shape: [2]).floats() == [1, 2])
        #expect(try reader.finish().parameters == 2)
    }

    @Test func complainsAgainWhereAnUnusableTensorIsAskedForAgain() throws {
        let reader = WeightReader(try store([("a", [1], [.nan])]))
        #expect(!reader.tensor("a", shape: [1]).isPresent)
        #expect(!reader.tensor("a", shape: [1]).isPresent)
        #expect(throws: WeightsError.self) { try reader.finish() }
    }

    @Test func generatesWhatItIsAskedFor() throws {
        let reader = WeightReader(named: "random") { name, shape in
            [Float](repeating: Float(name.count), count: shape.reduce(1, *))
        }
        #expect(reader.scoped("a").tensor("bc", shape: [2]).floats() == [4, 4])
        #expect(reader.optional("d", shape: [1])?.floats() == [1])
        #expect(reader.scoped("a").tensor("bc", shape: [2]).floats() == [4, 4])
        #expect(reader.shape(of: "a.bc") == [2])
        #expect(try reader.finish().parameters == 3)
    }

    @Test func survivesShapesBeyondAnyMachine() throws {
        let reader = WeightReader(try store([]))
        #expect(!reader.tensor("a", shape: [.max, .max]).isPresent)
        #expect(!reader.tensor("b", shape: [-1]).isPresent)
        #expect(throws: WeightsError.self) { try reader.finish() }
    }
}
