import PosedBase
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

    /// What a file is instead that people often have in place of weights, or nil.
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
