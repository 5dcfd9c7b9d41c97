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
