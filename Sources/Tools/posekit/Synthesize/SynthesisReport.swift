import Foundation
import PosedPipeline
import PosedWeights

/// The output of `synthesize --json`.
struct SynthesisReport: Encodable {
    /// One picture made.
    struct Picture: Encodable {
        let pose: String
        let out: String
        let nfe: Int
        let milliseconds: [String: Double]
    }

    /// A part's weights.
    struct Part: Encodable {
        let source: String
        let tensors: Int
        let parameters: Int
        let bytes: Int
        let seconds: Double

        init(_ report: LoadReport) {
            source = report.source
            tensors = report.tensors
            parameters = report.parameters
            bytes = report.totalBytes
            seconds = report.seconds.rounded(to: 3)
        }
    }

    let seed: UInt64
    let solver: String
    let guidance: Double
    let timeShift: Double
    let lastStepFirstOrder: Bool
    let width: Int
    let height: Int
    let backends: [String: String]
    let parts: [Part]
    /// The stages before the pictures: load and source.
    let milliseconds: [String: Double]
    let pictures: [Picture]

    enum CodingKeys: String, CodingKey {
        case seed, solver, guidance, width, height, backends, parts, milliseconds, pictures
        case timeShift = "time_shift"
        case lastStepFirstOrder = "last_step_first_order"
    }
}

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
