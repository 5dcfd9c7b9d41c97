package import Foundation

/// The committed goldens: small random models, and what their reference implementations computed.
///
/// `Tests/Goldens/README.md` lists the folders and the files in them.
package enum Goldens {
    /// The folder `Tests/Goldens` of this checkout.
    package static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Goldens", isDirectory: true)

    /// The location of a golden, such as `tiny/expected/velocity.safetensors`.
    ///
    /// - Parameter path: relative to `Tests/Goldens`.
    package static func url(_ path: String) -> URL {
        root.appendingPathComponent(path)
    }

    /// The folder of a whole model, such as `tiny`.
    package static func model(_ name: String) -> URL {
        root.appendingPathComponent(name, isDirectory: true)
    }
}
