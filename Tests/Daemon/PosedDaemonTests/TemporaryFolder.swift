internal import Foundation

/// A folder that is gone after the test.
final class TemporaryFolder: Sendable {
    /// Its path.
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "posed-daemon-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, and returns its path.
    @discardableResult
    func write(_ text: String, to name: String = "posed.yaml") throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}
