import PosedBase

/// A safetensors file, mapped into memory and checked in full before a single tensor is handed out.
package struct SafetensorsFile: Sendable {
    /// The path as it was given.
    package let path: String
    /// The texts under `__metadata__`.
    package let metadata: [String: String]
    /// The tensors, in the order in which they lie in the file.
    package let tensors: [WeightTensor]

    private let positions: [String: Int]

    /// Maps and checks the file.
    ///
    /// Throws `unreadable` if there is no such regular file, `malformed` if its header breaks any
    /// rule of the format; the message names the file, and the tensor at fault.
    package init(path: String) throws(WeightsError) {
        let storage = try WeightStorage.map(path: path)
        let header = try SafetensorsHeader(file: storage.bytes, path: path)
        self.path = path
        metadata = header.metadata
        tensors = header.entries.map { entry in
            WeightTensor(
                name: entry.name, dtype: entry.dtype, shape: entry.shape, count: entry.count,
                storage: storage, offset: entry.range.lowerBound)
        }
        var positions: [String: Int] = [:]
        positions.reserveCapacity(tensors.count)
        for (position, tensor) in tensors.enumerated() { positions[tensor.name] = position }
        self.positions = positions
    }

    /// The tensor of that name, if the file has one.
    package subscript(name: String) -> WeightTensor? {
        positions[name].map { tensors[$0] }
    }

    /// The tensor of that name; throws `mismatch`, naming the file and what it does hold.
    package func tensor(_ name: String) throws(WeightsError) -> WeightTensor {
        if let tensor = self[name] { return tensor }
        let held = tensors.prefix(8).map { $0.name.quoted() }.joined(separator: ", ")
        let more = tensors.count > 8 ? " and \(tensors.count - 8) more" : ""
        throw WeightsError(
            .mismatch,
            "\(path): tensor \(name.quoted()) expected, but the file holds "
                + (held.isEmpty ? "none" : held + more))
    }
}

/// The table at the beginning of a safetensors file, checked against the file's length.
///
/// A header is believed only after every claim in it was tested: types are known, shapes multiply
/// without overflow to the length that the offsets give, and the tensors lie one after the other,
/// from the header's end to the end of the file, with no overlap and no hole.
struct SafetensorsHeader {
    /// One tensor's claim. Offsets count from the beginning of the file.
    struct Entry {
        let name: String
        let dtype: ElementType
        let shape: [Int]
        let count: Int
        let range: Range<Int>
    }

    /// The longest header that is read, in bytes.
    static let maxLength = 100_000_000

    /// The tensors, in the order in which they lie in the file.
    let entries: [Entry]
    /// The texts under `__metadata__`.
    let metadata: [String: String]

    /// Reads the header of the file whose bytes are given. `path` serves the messages alone.
    init(file bytes: UnsafeRawBufferPointer, path: String) throws(WeightsError) {
        let length = try Self.length(of: bytes, path: path)
        let start = 8 + length
        let json: JSONValue
        do {
            json = try JSONValue(parsing: UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
        } catch {
            let place = 8 + error.offset
            throw Self.malformed(
                path, "the header is no valid JSON at byte \(place): \(error.message)")
        }
        guard case .object(let members) = json else {
            throw Self.malformed(path, "the header must be a JSON object, but is \(json.kind)")
        }
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        entries.reserveCapacity(members.count)
        for (name, value) in members {
            if name == "__metadata__" {
                metadata = try Self.metadata(value, path: path)
            } else {
                let fields = EntryParser(path: path, name: name, start: start, end: bytes.count)
                entries.append(try fields.entry(value))
            }
        }
        entries.sort {
            ($0.range.lowerBound, $0.range.upperBound, $0.name)
                < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        try Self.checkLayout(entries, start: start, end: bytes.count, path: path)
        self.entries = entries
        self.metadata = metadata
    }

    private static func length(
        of bytes: UnsafeRawBufferPointer, path: String
    ) throws(WeightsError) -> Int {
        guard bytes.count >= 8 else {
            throw malformed(
                path, "a safetensors file has at least 8 bytes, but this one has \(bytes.count)")
        }
        if let other = foreignFormat(of: bytes) {
            throw malformed(path, "a safetensors file expected, but this is \(other)")
        }
        let claimed = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard claimed <= UInt64(maxLength) else {
            throw malformed(
                path, "the header claims \(claimed) bytes; at most \(maxLength) are accepted")
        }
        guard claimed <= UInt64(bytes.count - 8) else {
            throw malformed(
                path,
                "the header claims \(claimed) bytes, but only \(bytes.count - 8) follow; "
                    + "the file is truncated or no safetensors file")
        }
        return Int(claimed)
    }

    /// The format of a file that people often have in place of weights; nil for any other.
    ///
    /// The length of a header would have to be absurd for a safetensors file to begin like one of these.
    static func foreignFormat(of bytes: UnsafeRawBufferPointer) -> String? {
        let text = String(decoding: bytes.prefix(64), as: UTF8.self).lowercased()
        if text.hasPrefix("version https://git-lfs") {
            return "a Git LFS pointer: `git lfs pull` in the model's folder fetches the weights"
        }
        if ["<!doctype", "<html", "<?xml"].contains(where: {
            text.drop(while: \.isWhitespace).hasPrefix($0)
        }) {
            return "a web page: the download went wrong"
        }
        if text.hasPrefix("pk\u{3}\u{4}") {
            return "a zip archive, as PyTorch writes it: convert it with safetensors' own tools"
        }
        return nil
    }

    private static func metadata(
        _ value: JSONValue, path: String
    ) throws(WeightsError) -> [String: String] {
        guard case .object(let members) = value else {
            throw malformed(path, "__metadata__ must be an object of texts, but is \(value.kind)")
        }
        var metadata: [String: String] = [:]
        for (key, value) in members {
            guard case .string(let text) = value else {
                throw malformed(
                    path,
                    "__metadata__ \(key.quoted()) must be a string, "
                        + "but is \(value.kind)")
            }
            metadata[key] = text
        }
        return metadata
    }

    /// Tensors must follow each other from `start` to `end` without gap or overlap.
    private static func checkLayout(
        _ entries: [Entry], start: Int, end: Int, path: String
    ) throws(WeightsError) {
        var position = start
        var previous: String?
        for entry in entries {
            let name = entry.name.quoted()
            if entry.range.lowerBound < position {
                let other = previous.map { $0.quoted() } ?? "the header"
                throw malformed(path, "tensor \(name) overlaps \(other)")
            }
            if entry.range.lowerBound > position {
                throw malformed(
                    path,
                    "\(entry.range.lowerBound - position) bytes before tensor \(name) belong "
                        + "to no tensor")
            }
            position = entry.range.upperBound
            previous = entry.name
        }
        guard position == end else {
            throw malformed(path, "the last \(end - position) bytes belong to no tensor")
        }
    }

    private static func malformed(_ path: String, _ what: String) -> WeightsError {
        WeightsError(.malformed, "\(path): \(what)")
    }
}

extension SafetensorsHeader {
    /// Reads one tensor's claim out of the header, and tests it against the file's length.
    struct EntryParser {
        let path: String
        let name: String
        /// The offset of the tensors in the file.
        let start: Int
        /// The length of the file.
        let end: Int

        func entry(_ value: JSONValue) throws(WeightsError) -> Entry {
            guard case .object(let members) = value else {
                throw malformed("must be described by an object, but is by \(value.kind)")
            }
            var dtype: ElementType?
            var shape: [Int]?
            var offsets: [Int]?
            for (key, value) in members {
                switch key {
                case "dtype": dtype = try type(value)
                case "shape": shape = try integers(value, of: "shape")
                case "data_offsets": offsets = try integers(value, of: "data_offsets")
                default: throw malformed("has an unknown field \(key.quoted())")
                }
            }
            guard let dtype else { throw malformed("has no dtype") }
            guard let shape else { throw malformed("has no shape") }
            guard let offsets else { throw malformed("has no data_offsets") }
            return try checked(dtype: dtype, shape: shape, offsets: offsets)
        }

        private func checked(
            dtype: ElementType, shape: [Int], offsets: [Int]
        ) throws(WeightsError) -> Entry {
            guard let count = WeightTensor.count(of: shape) else {
                throw malformed("has an impossible shape \(WeightsError.text(shape))")
            }
            let (size, overflow) = count.multipliedReportingOverflow(by: dtype.size)
            guard !overflow else {
                throw malformed("has an impossible shape \(WeightsError.text(shape))")
            }
            guard offsets.count == 2 else {
                throw malformed("must have two data_offsets, but has \(offsets.count)")
            }
            let (begin, limit) = (offsets[0], offsets[1])
            guard begin >= 0, begin <= limit else {
                throw malformed("has impossible data_offsets [\(begin), \(limit)]")
            }
            guard limit <= end - start else {
                throw malformed(
                    "ends at byte \(limit) of the data, but the file has \(end - start); "
                        + "it is truncated")
            }
            guard limit - begin == size else {
                throw malformed(
                    "of type \(dtype) and shape \(WeightsError.text(shape)) needs \(size) bytes, "
                        + "but its data_offsets give \(limit - begin)")
            }
            return Entry(
                name: name, dtype: dtype, shape: shape, count: count,
                range: start + begin..<start + limit)
        }

        private func type(_ value: JSONValue) throws(WeightsError) -> ElementType {
            guard case .string(let text) = value else {
                throw malformed("must have a string as dtype, but has \(value.kind)")
            }
            guard let dtype = ElementType(rawValue: text) else {
                throw malformed("has an unknown dtype \(text.quoted())")
            }
            return dtype
        }

        private func integers(
            _ value: JSONValue, of field: String
        ) throws(WeightsError) -> [Int] {
            guard case .array(let elements) = value else {
                throw malformed("must have an array as \(field), but has \(value.kind)")
            }
            var integers: [Int] = []
            integers.reserveCapacity(elements.count)
            for element in elements {
                guard case .integer(let integer) = element else {
                    throw malformed("has \(element.kind) in its \(field); integers are expected")
                }
                integers.append(integer)
            }
            return integers
        }

        private func malformed(_ what: String) -> WeightsError {
            WeightsError(.malformed, "\(path): tensor \(name.quoted()) \(what)")
        }
    }
}

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
