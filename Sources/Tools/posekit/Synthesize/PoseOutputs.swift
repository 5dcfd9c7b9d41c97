import Foundation

/// Poses and the pictures that are made of them.
struct PoseOutputs {
    /// Pose files with the paths of their pictures, in order.
    let pairs: [(pose: String, out: String)]

    /// One pose goes to the file `out`. Several go to the folder `out`, each under its own name with
    /// `.png`, or to `out` with its `{}` replaced by the pose's name.
    ///
    /// - Parameter poses: The file and the name of each.
    ///
    /// - Throws: `PosekitError` for a path that cannot be written, or poses that would share one.
    init(poses: [(file: String, name: String)], out: String) throws {
        pairs = try poses.map { pose, name in
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
