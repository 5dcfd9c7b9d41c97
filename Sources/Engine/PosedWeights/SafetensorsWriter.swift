import PosedBase
import Glibc

/// Collects tensors and writes them as one safetensors file, whole or not at all.
package struct SafetensorsWriter {
    private struct Entry {
        let name: String
        let dtype: ElementType
        let shape: [Int]
        let bytes: [UInt8]
    }

    /// Texts for `__metadata__`.
    package var metadata: [String: String]
    private var entries: [Entry] = []
    private var names: Set<String> = []

    package init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Adds float32 elements, stored as `dtype`: F32, or F16 or BF16 rounded to nearest even.
    ///
    /// Throws `unwritable` for a name already there, a type that is no weight, or a count of
    /// elements other than the shape's.
    package mutating func add(
        _ name: String, shape: [Int], floats: [Float], as dtype: ElementType = .f32
    ) throws(WeightsError) {
        let bytes: [UInt8]
        switch dtype {
        case .f32: bytes = floats.withUnsafeBytes { Array($0) }
        case .f16: bytes = floats.map { Float16($0) }.withUnsafeBytes { Array($0) }
        case .bf16: bytes = floats.map(Self.brainFloat).withUnsafeBytes { Array($0) }
        default:
            throw WeightsError(
                .unwritable,
                "tensor \(name.quoted()): floats cannot be stored as "
                    + "\(dtype); F32, F16 or BF16 expected")
        }
        try add(name, dtype: dtype, shape: shape, bytes: bytes)
    }

    /// Adds a tensor as it is.
    package mutating func add(_ tensor: WeightTensor) throws(WeightsError) {
        try add(tensor.name, dtype: tensor.dtype, shape: tensor.shape, bytes: Array(tensor.bytes))
    }

    /// Adds little-endian elements of any type.
    ///
    /// Throws `unwritable` for a name already there, or a number of bytes other than the shape's.
    package mutating func add(
        _ name: String, dtype: ElementType, shape: [Int], bytes: [UInt8]
    ) throws(WeightsError) {
        guard name != "__metadata__", names.insert(name).inserted else {
            throw WeightsError(
                .unwritable, "tensor \(name.quoted()): the name is taken")
        }
        let count = WeightTensor.count(of: shape)
        guard let count, bytes.count.isMultiple(of: dtype.size), bytes.count / dtype.size == count
        else {
            throw WeightsError(
                .unwritable,
                "tensor \(name.quoted()): shape "
                    + "\(WeightsError.text(shape)) of \(dtype) expected, but \(bytes.count) bytes "
                    + "came")
        }
        entries.append(Entry(name: name, dtype: dtype, shape: shape, bytes: bytes))
    }

    /// Writes the file beside its final place, makes sure it is on disk, and renames it.
    ///
    /// Throws `unwritable`; whatever was at `path` before is then untouched.
    package func write(to path: String) throws(WeightsError) {
        // Wider elements first: every tensor is then aligned to its own element.
        let sorted = entries.sorted {
            ($0.dtype.size, $1.name) > ($1.dtype.size, $0.name)
        }
        do {
            let file = try AtomicFile(path: path)
            try file.write(header(of: sorted))
            for entry in sorted { try file.write(entry.bytes) }
            try file.commit(durably: true)
        } catch {
            throw WeightsError(.unwritable, "\(path): cannot be written: \(error)", cause: error)
        }
    }

    private func header(of entries: [Entry]) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }
                .map { Self.json($0.key) + ":" + Self.json($0.value) }
            members.append("\"__metadata__\":{" + texts.joined(separator: ",") + "}")
        }
        var offset = 0
        for entry in entries {
            let end = offset + entry.bytes.count
            let shape = entry.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(Self.json(entry.name)):{\"dtype\":\"\(entry.dtype)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var text = Array(("{" + members.joined(separator: ",") + "}").utf8)
        while !text.count.isMultiple(of: 8) { text.append(UInt8(ascii: " ")) }
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }

    private static func json(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// The bfloat16 nearest to a float, ties to even; NaN stays NaN.
    private static func brainFloat(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x0040 }
        return UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
}
