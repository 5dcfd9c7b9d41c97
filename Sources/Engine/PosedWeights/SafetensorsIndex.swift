import PosedBase
/// The table of a sharded checkpoint, `*.safetensors.index.json`: which file holds which tensor.
struct SafetensorsIndex {
    /// The longest index that is read, in bytes.
    static let maxLength = 100_000_000

    /// Tensor names and the shard each lies in, in the order of the index.
    let entries: [(name: String, file: String)]
    /// The shards' file names, each once, in order of first mention.
    let files: [String]

    /// Reads and checks an index. Shards are plain file names inside the index's own folder.
    init(path: String) throws(WeightsError) {
        let storage = try WeightStorage.map(path: path)
        guard storage.bytes.count <= Self.maxLength else {
            throw Self.malformed(
                path, "\(storage.bytes.count) bytes; at most \(Self.maxLength) are accepted")
        }
        if let other = SafetensorsHeader.foreignFormat(of: storage.bytes) {
            throw Self.malformed(path, "an index of shards expected, but this is \(other)")
        }
        let json: JSONValue
        do {
            json = try JSONValue(parsing: storage.bytes)
        } catch {
            throw Self.malformed(path, "no valid JSON at byte \(error.offset): \(error.message)")
        }
        guard case .object(let members) = json,
            case .object(let map)? = members.first(where: { $0.key == "weight_map" })?.value
        else { throw Self.malformed(path, "an object with a \"weight_map\" object is expected") }
        guard !map.isEmpty else { throw Self.malformed(path, "its weight_map is empty") }

        var entries: [(name: String, file: String)] = []
        var files: [String] = []
        var seen: Set<String> = []
        for (name, value) in map {
            guard case .string(let file) = value else {
                throw Self.malformed(
                    path,
                    "tensor \(name.quoted()) must name a file, "
                        + "but has \(value.kind)")
            }
            guard Self.isPlain(file) else {
                throw Self.malformed(
                    path,
                    "tensor \(name.quoted()) names the file "
                        + "\(file.quoted()); only the name of a .safetensors file in "
                        + "the same folder is allowed")
            }
            entries.append((name, file))
            if seen.insert(file).inserted { files.append(file) }
        }
        self.entries = entries
        self.files = files
    }

    /// Whether a name stays in its folder.
    static func isPlain(_ file: String) -> Bool {
        file.hasSuffix(".safetensors") && file.utf8.count <= 255 && !file.hasPrefix(".")
            && !file.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 }
    }

    private static func malformed(_ path: String, _ what: String) -> WeightsError {
        WeightsError(.malformed, "\(path): \(what)")
    }
}
