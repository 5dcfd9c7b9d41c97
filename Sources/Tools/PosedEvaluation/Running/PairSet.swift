import Foundation
package import PosedVision

/// A data set of pairs, in one of two forms.
///
/// A folder with `pairs.jsonl`, a line for each pair; paths are relative to the folder, keypoints in pixels of the
/// target, a mask is optional:
///
///     {"source": "a.png", "target": "b.png", "keypoints": [[x, y, confidence] × 18], "mask": "m.png",
///      "hands": [[left hand × 21], [right hand × 21]], "face": [× 70]}
///
/// Or DeepFashion as PIDM has it: `test_pairs.txt`, a line `target,source` (several sources make several pairs),
/// pictures `img/….jpg` (or `.png`) and poses `pose/….txt` beside them. Square pictures have margins there, which
/// are cut off; poses are measured without them.
package struct PairSet: Sendable {
    /// One pair.
    package struct Pair: Sendable {
        /// The source picture, as the list names it.
        package let source: String
        /// The target picture, as the list names it.
        package let target: String
        /// The picture of the pixels that count in masked measures, as the list names it.
        package let mask: String?
        fileprivate let pose: Pose
    }

    fileprivate enum Pose: Sendable {
        case keypoints(Keypoints)
        /// A file that is read when it is its turn.
        case file(String)
    }

    /// The folder's path.
    package let folder: String
    /// The pairs, in the list's order.
    package let pairs: [Pair]
    private let isDeepFashion: Bool

    /// The largest list that is read, in bytes.
    private static let sizeLimit = 1 << 30

    /// Reads a data set's list.
    ///
    /// - Parameter limit: Read no more than the first so many pairs.
    /// - Throws: `EvaluationError` `.unreadableData` that names the file and the line.
    package init(folder: String, limit: Int? = nil) throws {
        self.folder = folder
        let lists = ["/pairs.jsonl", "/test_pairs.txt"].map { folder + $0 }
        guard let path = lists.first(where: FileManager.default.fileExists),
            let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            (attributes[.size] as? NSNumber)?.intValue ?? 0 <= Self.sizeLimit,
            let data = FileManager.default.contents(atPath: path)
        else {
            throw EvaluationError(
                .unreadableData,
                "\(folder): a folder with pairs.jsonl, or PIDM's test_pairs.txt, expected, but that cannot be "
                    + "read")
        }
        isDeepFashion = path == lists[1]
        var pairs: [Pair] = []
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy(Self.isSpace) {
            if let limit, pairs.count >= limit { break }
            let place = "\(path), line \(index + 1)"
            if isDeepFashion {
                pairs += try Self.named(line, at: place)
            } else {
                pairs.append(try Self.pair(Data(line), at: place))
            }
        }
        guard !pairs.isEmpty else {
            throw EvaluationError(.unreadableData, "\(path): at least one pair expected")
        }
        self.pairs = Array(pairs.prefix(limit ?? pairs.count))
    }

    /// A picture that the list names.
    ///
    /// - Throws: `VisionError`, or `EvaluationError` `.unreadableData` where there is no such file.
    package func picture(_ name: String) throws -> Image {
        let image = try Image(file: try path(name))
        guard isDeepFashion, image.width == image.height else { return image }
        let margin = Int((Double(image.width) * 40 / 256).rounded())
        return try image.cropped(
            x: margin, y: 0, width: image.width - 2 * margin, height: image.height)
    }

    /// The pose of a pair, whose target is `picture`.
    ///
    /// - Throws: `VisionError` for a pose file.
    package func pose(of pair: Pair, _ picture: Image) throws -> PoseInput {
        switch pair.pose {
        case .keypoints(let keypoints):
            .keypoints(keypoints.measured(inWidth: picture.width, height: picture.height))
        case .file(let name): try PoseInput(file: folder + "/" + name)
        }
    }

    /// Where a picture lies that the list names.
    ///
    /// - Throws: `EvaluationError` `.unreadableData` where a picture of DeepFashion is in none of its places.
    package func path(_ name: String) throws -> String {
        let own = name.hasPrefix("/") ? name : folder + "/" + name
        guard isDeepFashion, !FileManager.default.fileExists(atPath: own) else { return own }
        let stem = (name as NSString).deletingPathExtension
        for root in [folder, folder + "/Img", folder + "/fashion_resize"] {
            for ending in [".jpg", ".png", ".jpeg", ".webp"] {
                let path = root + "/" + stem + ending
                if FileManager.default.fileExists(atPath: path) { return path }
            }
        }
        throw EvaluationError(
            .unreadableData, "\(folder)/\(stem): a .jpg or .png expected, but there is none")
    }

    /// The pairs of a line of names: the target, then its sources.
    private static func named(_ line: Data.SubSequence, at place: String) throws -> [Pair] {
        let names = String(decoding: line, as: UTF8.self).split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard names.count >= 2, names.allSatisfy({ !$0.isEmpty }) else {
            throw EvaluationError(
                .unreadableData, "\(place): a target and its sources, separated by commas, expected"
            )
        }
        let stem = (names[0] as NSString).deletingPathExtension
        let inner = stem.hasPrefix("img/") ? String(stem.dropFirst(4)) : stem
        return names.dropFirst().map { source in
            Pair(source: source, target: names[0], mask: nil, pose: .file("pose/\(inner).txt"))
        }
    }

    private struct Line: Decodable {
        let source: String
        let target: String
        let keypoints: Keypoints
        let mask: String?

        private enum CodingKeys: String, CodingKey { case source, target, keypoints, mask }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            source = try values.decode(String.self, forKey: .source)
            target = try values.decode(String.self, forKey: .target)
            mask = try values.decodeIfPresent(String.self, forKey: .mask)
            guard values.contains(.keypoints) else {
                throw DecodingError.keyNotFound(
                    CodingKeys.keypoints,
                    .init(codingPath: [], debugDescription: "the pose is missing"))
            }
            // Hands and face stand beside the joints.
            keypoints = try Keypoints(from: decoder)
        }
    }

    private static func pair(_ data: Data, at place: String) throws -> Pair {
        do {
            let decoder = JSONDecoder()
            decoder.allowsJSON5 = true
            let line = try decoder.decode(Line.self, from: data)
            return Pair(
                source: line.source, target: line.target, mask: line.mask,
                pose: .keypoints(line.keypoints))
        } catch let error as VisionError {
            throw EvaluationError(.unreadableData, "\(place): \(error.message)", cause: error)
        } catch {
            throw EvaluationError(
                .unreadableData,
                "\(place): an object with \"source\", \"target\" and \"keypoints\" expected"
                    + reason(error), cause: error)
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): ", but \"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context):
            context.codingPath.last.map { ", but \"\($0.stringValue)\" is none" } ?? ""
        default: ", but it is not JSON"
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }
}
