import Foundation
package import PosedVision

/// A data set of pairs: a folder with `pairs.jsonl`, a line for each.
///
///     {"source": "a.png", "target": "b.png", "keypoints": [[x, y, confidence] × 18], "mask": "m.png",
///      "hands": [[left hand × 21], [right hand × 21]], "face": [× 70]}
///
/// Paths are relative to the folder, keypoints in pixels of the target; mask, hands and face are optional.
package struct PairSet: Sendable {
    /// A line of `pairs.jsonl`.
    package struct Pair: Sendable {
        /// The source picture, as the line names it.
        package let source: String
        /// The target picture, as the line names it.
        package let target: String
        /// The target's pose.
        package let keypoints: Keypoints
        /// The picture of the pixels that count in masked measures, as the line names it.
        package let mask: String?
    }

    /// The folder's path.
    package let folder: String
    /// The pairs, in the file's order.
    package let pairs: [Pair]

    /// The largest file that is read, in bytes.
    private static let sizeLimit = 1 << 30

    /// Reads a data set's list.
    ///
    /// - Parameter limit: Read no more than the first so many pairs.
    /// - Throws: `EvaluationError` `.unreadableData` that names the file and the line.
    package init(folder: String, limit: Int? = nil) throws {
        self.folder = folder
        let path = folder + "/pairs.jsonl"
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let data = FileManager.default.contents(atPath: path),
            (attributes?[.size] as? NSNumber)?.intValue ?? 0 <= Self.sizeLimit
        else {
            throw EvaluationError(
                .unreadableData,
                "\(folder): a folder with pairs.jsonl expected, but that cannot be read")
        }
        var pairs: [Pair] = []
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy(Self.isSpace) {
            if let limit, pairs.count >= limit { break }
            pairs.append(try Self.pair(Data(line), at: "\(path), line \(index + 1)"))
        }
        guard !pairs.isEmpty else {
            throw EvaluationError(.unreadableData, "\(path): at least one pair expected")
        }
        self.pairs = pairs
    }

    /// The path of a picture that a line names.
    package func path(_ name: String) -> String {
        name.hasPrefix("/") ? name : folder + "/" + name
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
                source: line.source, target: line.target, keypoints: line.keypoints, mask: line.mask
            )
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
