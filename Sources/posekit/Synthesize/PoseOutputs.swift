import Foundation

/// A pose file and the picture that is made of it.
struct PoseOutputs {
    /// Pose files with the paths of their pictures, in order.
    let pairs: [(pose: String, out: String)]

    /// One pose goes to the file `out`. Several go to the folder `out`, each under its own name with
    /// `.png`, or to `out` with its `{}` replaced by the pose's name.
    ///
    /// - Throws: `PosekitError` for a path that cannot be written, or poses that would share one.
    init(poses: [String], out: String) throws {
        pairs = try poses.map { pose in
            let name = URL(fileURLWithPath: pose).deletingPathExtension().lastPathComponent
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: out, isDirectory: &isFolder)
            var path = out.replacingOccurrences(of: "{}", with: name)
            if exists, isFolder.boolValue {
                path = (out.hasSuffix("/") ? out : out + "/") + name + ".png"
            }
            try OutputFile.check(path)
            return (pose, path)
        }
        var seen: [String: String] = [:]
        for (pose, path) in pairs {
            guard let first = seen.updateValue(pose, forKey: path) else { continue }
            throw PosekitError(
                .invalidInput,
                "\(first) and \(pose) would both be written to \(path); --out may be "
                    + "a folder, or have {} where the pose's name goes")
        }
    }
}
