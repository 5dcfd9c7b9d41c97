import PosedBase
import Glibc

/// The tensors of one model part, out of one safetensors file, several shards, or memory.
///
/// The files are mapped, not read; they stay mapped until the store and every tensor taken from it
/// are gone.
package struct WeightStore: Sendable {
    /// What messages call this store: the file's path, the index's path, or a name.
    package let source: String
    /// The files behind it, none for a store in memory.
    package let paths: [String]
    /// All tensors, in the order of the files.
    package let tensors: [WeightTensor]
    /// The texts under `__metadata__`, of all files together.
    package let metadata: [String: String]

    private let positions: [String: Int]

    /// Opens a part's folder: `<base>.safetensors` if it is there, else the shards that
    /// `<base>.safetensors.index.json` lists, else the same of the variant `fp16`, as published models have it.
    ///
    /// Prefixes that wrappers put before every name, such as `module.` or `dinov2.`, are taken off.
    ///
    /// - Parameters:
    ///   - folder: The path of the folder.
    ///   - base: `diffusion_pytorch_model` in the layout of diffusers, `model` in transformers'.
    ///
    /// Throws `unreadable` if neither file is there, `malformed` if one breaks the format, or if
    /// the index and the shards disagree.
    package init(folder: String, base: String) throws(WeightsError) {
        let stem = folder.hasSuffix("/") ? folder + base : folder + "/" + base
        let names = [
            "\(stem).safetensors", "\(stem).safetensors.index.json", "\(stem).fp16.safetensors",
            "\(stem).safetensors.index.fp16.json", "\(stem).fp16.safetensors.index.json",
        ]
        guard let path = names.first(where: { access($0, F_OK) == 0 }) else {
            throw WeightsError(
                .unreadable,
                "\(folder): no weights here; \(base).safetensors or "
                    + "\(base).safetensors.index.json expected" + Self.others(in: folder))
        }
        let store =
            path.hasSuffix(".json")
            ? try WeightStore(index: path, folder: folder) : try WeightStore(file: path)
        self.init(
            source: store.source, paths: store.paths,
            tensors: Self.withoutWrappers(store.tensors), metadata: store.metadata)
    }

    /// Files of weights that a folder has instead, for a message.
    private static func others(in folder: String) -> String {
        guard let stream = opendir(folder) else { return "" }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            let endings = [".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf"]
            if endings.contains(where: name.hasSuffix) {
                names.append(name.quoted())
            }
        }
        guard !names.isEmpty else { return "" }
        return ", but it holds " + names.sorted().prefix(4).joined(separator: ", ")
    }

    /// What training and classification wrap a model in, and what such a file may hold besides.
    private static let wrappers = [
        "module.", "_orig_mod.", "model.", "dinov2.", "dinov2_with_registers.",
    ]
    private static let heads = ["classifier."]

    /// The tensors without a wrapper's prefix, where all have one; a classifier's own are left out then.
    private static func withoutWrappers(_ tensors: [WeightTensor]) -> [WeightTensor] {
        for wrapper in wrappers where tensors.contains(where: { $0.name.hasPrefix(wrapper) }) {
            let inside = tensors.filter { $0.name.hasPrefix(wrapper) }
            let others = tensors.filter { tensor in
                !tensor.name.hasPrefix(wrapper) && !heads.contains { tensor.name.hasPrefix($0) }
            }
            guard others.isEmpty else { continue }
            return withoutWrappers(
                inside.map {
                    $0.viewed(as: String($0.name.dropFirst(wrapper.count)), shape: $0.shape)
                })
        }
        return tensors
    }

    /// Opens one safetensors file.
    package init(file path: String) throws(WeightsError) {
        let file = try SafetensorsFile(path: path)
        self.init(
            source: path, paths: [path], tensors: file.tensors, metadata: file.metadata)
    }

    /// A store of tensors in memory; of several with one name the first counts.
    package init(named source: String, tensors: [WeightTensor]) {
        self.init(source: source, paths: [], tensors: tensors, metadata: [:])
    }

    private init(index path: String, folder: String) throws(WeightsError) {
        let index = try SafetensorsIndex(path: path)
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        var expected: [String: String] = [:]
        for (name, file) in index.entries { expected[name] = file }

        var tensors: [WeightTensor] = []
        var metadata: [String: String] = [:]
        for name in index.files {
            let file = try SafetensorsFile(path: prefix + name)
            // A shard may hold more than the index lists of it; what it does not list does not count.
            for tensor in file.tensors where expected[tensor.name] == name {
                expected[tensor.name] = nil
                tensors.append(tensor)
            }
            metadata.merge(file.metadata) { first, _ in first }
        }
        if let (name, file) = expected.min(by: { $0.key < $1.key }) {
            throw WeightsError(
                .malformed,
                "\(path): tensor \(name.quoted()) is said to be in "
                    + "\(file), which does not hold it")
        }
        self.init(
            source: path, paths: index.files.map { prefix + $0 }, tensors: tensors,
            metadata: metadata)
    }

    private init(
        source: String, paths: [String], tensors: [WeightTensor], metadata: [String: String]
    ) {
        self.source = source
        self.paths = paths
        self.tensors = tensors
        self.metadata = metadata
        var positions: [String: Int] = [:]
        positions.reserveCapacity(tensors.count)
        for (position, tensor) in tensors.enumerated() where positions[tensor.name] == nil {
            positions[tensor.name] = position
        }
        self.positions = positions
    }

    /// The tensor of that name, if there is one.
    package subscript(name: String) -> WeightTensor? {
        positions[name].map { tensors[$0] }
    }
}
