/// What a part's weights amounted to.
package struct LoadReport: Sendable, CustomStringConvertible {
    /// What was loaded: the path of the file or of the index.
    package let source: String
    /// How many tensors the model took.
    package let tensors: Int
    /// How many numbers these hold.
    package let parameters: Int
    /// Bytes taken, by element type.
    package let bytes: [ElementType: Int]
    /// Tensors in the file that the model has no use for, and that were allowed to be there.
    package let unused: Int
    /// Seconds from the reader's making to its finish.
    package let seconds: Double

    /// Bytes taken in all.
    package var totalBytes: Int { bytes.values.reduce(0, +) }

    /// One line for a person, such as
    /// `transformer/….safetensors: 164 tensors, 38.1 M parameters, 152.4 MB (F32), 90 ms`.
    package var description: String {
        let types = bytes.keys.map(\.rawValue).sorted().joined(separator: " + ")
        var line = "\(source): \(tensors) tensors, \(Self.tenths(parameters, of: 1_000_000)) M "
        line += "parameters, \(Self.tenths(totalBytes, of: 1_000_000)) MB"
        if !types.isEmpty { line += " (\(types))" }
        if unused > 0 { line += ", \(unused) unused" }
        return line + ", \(Int((seconds * 1000).rounded())) ms"
    }

    private static func tenths(_ value: Int, of unit: Int) -> String {
        let tenths = (value * 10 + unit / 2) / unit
        return "\(tenths / 10).\(tenths % 10)"
    }
}
