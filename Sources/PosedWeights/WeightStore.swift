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
    /// `<base>.safetensors.index.json` lists.
    ///
    /// - Parameters:
    ///   - folder: The path of the folder.
    ///   - base: `diffusion_pytorch_model` in the layout of diffusers, `model` in transformers'.
    ///
    /// Throws `unreadable` if neither file is there, `malformed` if one breaks the format, or if
    /// the index and the shards disagree.
    package init(folder: String, base: String) throws(WeightsError) {
        let stem = folder.hasSuffix("/") ? folder + base : folder + "/" + base
        let single = stem + ".safetensors"
        let index = single + ".index.json"
        if access(single, F_OK) == 0 {
            try self.init(file: single)
        } else if access(index, F_OK) == 0 {
            try self.init(index: index, folder: folder)
        } else {
            throw WeightsError(
                .unreadable,
                "\(folder): no weights here; \(base).safetensors or "
                    + "\(base).safetensors.index.json expected")
        }
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
            for tensor in file.tensors {
                guard expected.removeValue(forKey: tensor.name) == name else {
                    throw WeightsError(
                        .malformed,
                        "\(file.path): tensor \(WeightsError.quoted(tensor.name)) is "
                            + "not what \(path) says of this file")
                }
            }
            tensors += file.tensors
            metadata.merge(file.metadata) { first, _ in first }
        }
        if let (name, file) = expected.min(by: { $0.key < $1.key }) {
            throw WeightsError(
                .malformed,
                "\(path): tensor \(WeightsError.quoted(name)) is said to be in "
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
