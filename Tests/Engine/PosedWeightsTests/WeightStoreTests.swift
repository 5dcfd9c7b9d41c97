import Foundation
import PosedTesting
import PosedWeights
import Testing

@Suite struct WeightStoreTests {
    /// Writes a shard with tensors of one element each.
    private func shard(_ scratch: Scratch, _ file: String, _ tensors: [String: Float]) throws {
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        for (name, value) in tensors { try writer.add(name, shape: [1], floats: [value]) }
        try writer.write(to: scratch.file(file))
    }

    private func index(_ scratch: Scratch, _ text: String) throws -> String {
        try scratch.write(Array(text.utf8), to: "model.safetensors.index.json")
    }

    @Test func opensShards() throws {
        let scratch = try Scratch()
        try shard(scratch, "model-1.safetensors", ["a": 1, "b": 2])
        try shard(scratch, "model-2.safetensors", ["c": 3])
        let path = try index(
            scratch,
            """
            {"metadata": {"total_size": 12}, "weight_map": {"a": "model-1.safetensors",
             "b": "model-1.safetensors", "c": "model-2.safetensors"}}
            """)
        let store = try WeightStore(folder: scratch.path, base: "model")
        #expect(store.source == path)
        #expect(store.tensors.count == 3)
        #expect(store["c"]?.floats() == [3])
        #expect(store.metadata == ["format": "pt"])
        #expect(store.paths.count == 2)
    }

    @Test func prefersTheSingleFile() throws {
        let scratch = try Scratch()
        try shard(scratch, "model.safetensors", ["a": 1])
        _ = try index(scratch, "nonsense")
        let store = try WeightStore(folder: scratch.path + "/", base: "model")
        #expect(store.source == scratch.file("model.safetensors"))
    }

    @Test func saysWhatItLookedFor() throws {
        let scratch = try Scratch()
        let error = #expect(throws: WeightsError.self) {
            try WeightStore(folder: scratch.path, base: "model")
        }
        #expect(error?.code == .unreadable)
        #expect(
            error?.message == "\(scratch.path): no weights here; model.safetensors or "
                + "model.safetensors.index.json expected")
    }

    @Test(arguments: [
        "../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..", "x.bin", "",
        ".hidden.safetensors", "a\\\\b.safetensors", "x\\u0000.safetensors",
    ])
    func confinesShardsToTheFolder(_ file: String) throws {
        let scratch = try Scratch()
        let path = try index(scratch, "{\"weight_map\": {\"a\": \"\(file)\"}}")
        let error = #expect(throws: WeightsError.self) {
            try WeightStore(folder: scratch.path, base: "model")
        }
        #expect(error?.code == .malformed)
        #expect(error?.message.hasPrefix("\(path): tensor \"a\" names the file \"") == true)
        #expect(
            error?.message.hasSuffix(
                "only the name of a .safetensors file in the same folder is allowed") == true)
    }

    static let badIndexes: [(text: String, message: String)] = [
        ("", "no valid JSON at byte 0: the text ends where a value should be"),
        ("[]", "an object with a \"weight_map\" object is expected"),
        ("{\"weight_map\": 3}", "an object with a \"weight_map\" object is expected"),
        ("{\"weight_map\": {}}", "its weight_map is empty"),
        ("{\"weight_map\": {\"a\": 1}}", "tensor \"a\" must name a file, but has an integer"),
        (
            "{\"weight_map\": {\"a\": \"m.safetensors\", \"a\": \"m.safetensors\"}}",
            "no valid JSON at byte 41: duplicate key \"a\""
        ),
    ]

    @Test(arguments: badIndexes.indices) func refusesIndexes(_ position: Int) throws {
        let scratch = try Scratch()
        let (text, message) = Self.badIndexes[position]
        let path = try index(scratch, text)
        let error = #expect(throws: WeightsError.self) {
            try WeightStore(folder: scratch.path, base: "model")
        }
        #expect(error?.message == "\(path): \(message)")
    }

    @Test func refusesShardsThatDisagreeWithTheIndex() throws {
        let scratch = try Scratch()
        try shard(scratch, "m.safetensors", ["a": 1, "b": 2])
        let path = try index(
            scratch,
            "{\"weight_map\": {\"a\": \"m.safetensors\", \"b\": \"m.safetensors\", "
                + "\"c\": \"m.safetensors\"}}")
        let missing = #expect(throws: WeightsError.self) {
            try WeightStore(folder: scratch.path, base: "model")
        }
        #expect(
            missing?.message == "\(path): tensor \"c\" is said to be in m.safetensors, "
                + "which does not hold it")
    }

    /// What the index does not list does not count, wherever it lies.
    @Test func aShardMayHoldMoreThanTheIndexLists() throws {
        let scratch = try Scratch()
        try shard(scratch, "m-1.safetensors", ["a": 1, "b": 2])
        try shard(scratch, "m-2.safetensors", ["b": 3, "c": 4])
        _ = try index(
            scratch,
            "{\"weight_map\": {\"a\": \"m-1.safetensors\", \"b\": \"m-2.safetensors\"}}")
        let store = try WeightStore(folder: scratch.path, base: "model")
        #expect(store.tensors.map(\.name) == ["a", "b"])
        #expect(store["b"]?.floats() == [3])
    }

    @Test(arguments: [
        "model.fp16.safetensors", "model.safetensors.index.fp16.json",
        "model.fp16.safetensors.index.json",
    ])
    func findsTheVariantOfHalfPrecision(_ name: String) throws {
        let scratch = try Scratch()
        if name.hasSuffix(".json") {
            try shard(scratch, "m.safetensors", ["a": 5])
            try scratch.write(
                Array("{\"weight_map\": {\"a\": \"m.safetensors\"}}".utf8), to: name)
        } else {
            try shard(scratch, name, ["a": 5])
        }
        let store = try WeightStore(folder: scratch.path, base: "model")
        #expect(store.source == scratch.file(name))
        #expect(store["a"]?.floats() == [5])
    }

    @Test func namesWeightsThatItDoesNotRead() throws {
        let scratch = try Scratch()
        try scratch.write([1], to: "pytorch_model.bin")
        try scratch.write([1], to: "ema.safetensors")
        let error = #expect(throws: WeightsError.self) {
            try WeightStore(folder: scratch.path, base: "model")
        }
        let suffix = "expected, but it holds \"ema.safetensors\", \"pytorch_model.bin\""
        #expect(error?.message.hasSuffix(suffix) == true)
    }

    static let wrapped: [(names: [String], found: [String])] = [
        (["module.a.b", "module.c"], ["a.b", "c"]),
        (["module._orig_mod.a"], ["a"]),
        (["dinov2.a", "dinov2.b", "classifier.weight"], ["a", "b"]),
        (["model.a", "b"], ["b", "model.a"]),
        (["classifier.weight"], ["classifier.weight"]),
    ]

    @Test(arguments: wrapped.indices)
    func takesPrefixesOfWrappersOff(_ position: Int) throws {
        let scratch = try Scratch()
        let (names, found) = Self.wrapped[position]
        try shard(
            scratch, "model.safetensors", Dictionary(uniqueKeysWithValues: names.map { ($0, 1) }))
        let store = try WeightStore(folder: scratch.path, base: "model")
        #expect(store.tensors.map(\.name).sorted() == found)
    }

    static let foreign: [(text: String, what: String)] = [
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 334643276\n",
            "Git LFS pointer"
        ),
        ("<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        ("\n <html>Sign in</html>", "web page"),
        ("PK\u{3}\u{4}archive/data.pkl", "zip archive"),
    ]

    /// What people often have in place of weights is called by its name.
    @Test(arguments: foreign.indices, ["model.safetensors", "model.safetensors.index.json"])
    func namesFilesThatAreNoWeights(_ position: Int, _ file: String) throws {
        let scratch = try Scratch()
        let (text, what) = Self.foreign[position]
        let path = try scratch.write(Array(text.utf8), to: file)
        let error = #expect(throws: WeightsError.self) {
            try WeightStore(folder: scratch.path, base: "model")
        }
        #expect(error?.code == .malformed)
        #expect(error?.message.hasPrefix(path) == true)
        #expect(error?.message.contains("but this is a \(what)") == true)
    }

    @Test func refusesAMissingShard() throws {
        let scratch = try Scratch()
        _ = try index(scratch, "{\"weight_map\": {\"a\": \"gone.safetensors\"}}")
        let error = #expect(throws: WeightsError.self) {
            try WeightStore(folder: scratch.path, base: "model")
        }
        #expect(error?.code == .unreadable)
        #expect(error?.message.hasPrefix(scratch.file("gone.safetensors")) == true)
    }

    @Test(arguments: ["f32", "f16", "bf16"]) func readsPublishedFiles(_ name: String) throws {
        let folder = Goldens.url("weights").path
        let store = try WeightStore(folder: folder, base: name)
        let expected = try WeightStore(file: "\(folder)/\(name).expected.safetensors")
        #expect(!store.tensors.isEmpty)
        for tensor in expected.tensors {
            #expect(store[tensor.name]?.shape == tensor.shape)
            #expect(store[tensor.name]?.floats() == tensor.floats(), "\(tensor.name)")
        }
    }

    @Test func readsPublishedShards() throws {
        let folder = Goldens.url("weights").path
        let sharded = try WeightStore(folder: folder + "/sharded", base: "model")
        let single = try WeightStore(folder: folder, base: "f32")
        #expect(sharded.paths.count == 2)
        #expect(Set(sharded.tensors.map(\.name)) == Set(single.tensors.map(\.name)))
        for tensor in single.tensors {
            #expect(sharded[tensor.name]?.floats() == tensor.floats(), "\(tensor.name)")
        }
    }
}
