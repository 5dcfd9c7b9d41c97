import Glibc
import PosedBase

/// The tensors of one model part, out of one safetensors file, several shards, or memory.
///
/// The files are mapped, not read; they stay mapped until the store and every tensor taken from it
/// are gone.
package struct WeightStore: Sendable {
    /// The name of this store in messages: the file's path, the index's path, or a name.
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

    /// Prefixes under which training and classification keep a model, and the other tensors of such files.
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

/// A read-only range of memory that holds tensors: a file's mapping, or pages of our own.
///
/// The bytes never change after `init`, so that any thread may read them; `@unchecked Sendable`
/// covers the one pointer that this class owns. A mapped file must not be truncated by someone else
/// while it is open: the system would answer a read beyond its new end with a signal.
package final class WeightStorage: @unchecked Sendable {
    /// The bytes; valid as long as this object lives.
    package let bytes: UnsafeRawBufferPointer
    /// Whether the pages come from a file and can be dropped and read again.
    package let isMapped: Bool
    /// The length that was mapped, which is what `munmap` wants back.
    private let mappedLength: Int

    private init(base: UnsafeMutableRawPointer?, count: Int, isMapped: Bool) {
        bytes = UnsafeRawBufferPointer(start: base, count: count)
        mappedLength = count
        self.isMapped = isMapped
    }

    deinit {
        if let base = bytes.baseAddress, mappedLength > 0 {
            munmap(UnsafeMutableRawPointer(mutating: base), mappedLength)
        }
    }

    /// No bytes at all.
    static let empty = WeightStorage(base: nil, count: 0, isMapped: false)

    /// Maps a regular file into memory, read-only.
    ///
    /// Throws `unreadable` if the file cannot be opened, is not a regular file, or cannot be
    /// mapped.
    package static func map(path: String) throws(WeightsError) -> WeightStorage {
        // O_NONBLOCK: a named pipe must be refused, not waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refusal(path, "cannot be opened: " + SystemError.last) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw refusal(path, "cannot be examined: " + SystemError.last)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw refusal(path, "is not a regular file")
        }
        let count = Int(status.st_size)
        guard count > 0 else { return .empty }
        let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let base, base != MAP_FAILED else {
            throw refusal(path, "cannot be mapped into memory: " + SystemError.last)
        }
        return WeightStorage(base: base, count: count, isMapped: true)
    }

    /// Fresh zeroed pages, filled once by `fill`; nil if the system has no such range to give.
    ///
    /// Pages that nobody writes cost no memory.
    package static func pages(
        count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void = { _ in }
    ) -> WeightStorage? {
        guard count > 0 else { return .empty }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let base = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let base, base != MAP_FAILED else { return nil }
        fill(UnsafeMutableRawBufferPointer(start: base, count: count))
        return WeightStorage(base: base, count: count, isMapped: false)
    }

    /// Tells the system that a range of a mapped file is not needed for now: its pages leave this
    /// process, and come back from the file if they are read again.
    package func release(_ range: Range<Int>) {
        guard isMapped, let base = bytes.baseAddress, !range.isEmpty else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard page > 0, range.lowerBound >= 0, range.upperBound <= bytes.count else { return }
        let start = range.lowerBound / page * page
        let address = UnsafeMutableRawPointer(mutating: base + start)
        _ = madvise(address, range.upperBound - start, MADV_DONTNEED)
    }

    private static func refusal(_ path: String, _ what: String) -> WeightsError {
        WeightsError(.unreadable, "\(path): \(what)")
    }
}
