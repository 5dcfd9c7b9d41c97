import Foundation

/// The sample people of a folder: for each a folder with `source.png` and sequences of poses.
package struct SamplePeople {
    /// A person and one of its sequences.
    package struct Sample: Equatable {
        package let person: String
        /// The picture's file.
        package let source: String
        /// The file with a pose on each line.
        package let poses: String
    }

    private let folder: String
    private let people: [String]

    /// Where the sample people of the default model lie: beside an installed program, or in a checkout.
    private static var knownFolders: [String] {
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let installed = program.map {
            URL(fileURLWithPath: $0).deletingLastPathComponent().deletingLastPathComponent().path
                + "/share/posed/models/default/samples"
        }
        return [installed, "weights/default/samples"].compactMap { $0 }
    }

    /// The people of a folder; nil for those of the default model. Throws `PosectlError` `file`.
    package init(folder: String?) throws {
        let candidates = folder.map { [$0] } ?? Self.knownFolders
        for candidate in candidates {
            let people = Self.people(candidate)
            if !people.isEmpty {
                self.folder = candidate
                self.people = people
                return
            }
        }
        throw PosectlError(
            .file,
            "expected sample people (a folder for each, with source.png) in "
                + "\(candidates.joined(separator: " or ")), there are none; the package "
                + "posed-model-default has some, and --samples names another folder")
    }

    /// A person's picture and poses; nil for the first person. Throws `PosectlError` `file`.
    package func sample(_ person: String?, motion: String) throws -> Sample {
        let person = person ?? people[0]
        guard people.contains(person) else {
            throw PosectlError(
                .file, "\(person): expected one of the sample people \(list(people)) of \(folder)")
        }
        let motions = Self.names(in: "\(folder)/\(person)").filter { $0.hasSuffix(".jsonl") }
            .map { String($0.dropLast(".jsonl".count)) }
        guard motions.contains(motion) else {
            throw PosectlError(
                .file,
                "--motion \(motion): expected one of the sequences \(list(motions)) of \(person)")
        }
        return Sample(
            person: person, source: "\(folder)/\(person)/source.png",
            poses: "\(folder)/\(person)/\(motion).jsonl")
    }

    private func list(_ names: [String]) -> String { names.joined(separator: ", ") }

    private static func people(_ folder: String) -> [String] {
        names(in: folder).filter {
            FileManager.default.fileExists(atPath: "\(folder)/\($0)/source.png")
        }
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
