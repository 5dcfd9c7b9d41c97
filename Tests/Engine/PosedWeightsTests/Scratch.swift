import Foundation

/// A folder of one test's own, removed with it.
final class Scratch {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-weights-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    func file(_ name: String) -> String { path + "/" + name }

    /// Writes bytes to a file in the folder, and gives its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    /// The bytes of a file in the folder.
    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }

    /// A file with a header given as text, as long as it claims unless told, and zeros as data.
    func safetensors(
        _ header: String, claim: UInt64? = nil, data: Int, name: String = "x.safetensors"
    ) throws -> String {
        let text = Array(header.utf8)
        let length = withUnsafeBytes(of: (claim ?? UInt64(text.count)).littleEndian) { Array($0) }
        return try write(length + text + [UInt8](repeating: 0, count: data), to: name)
    }

    /// The names of what lies in the folder, hidden files included.
    var contents: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}
