import PosedVision

/// How a picture is sent to whoever asked for it.
package enum PictureFormat: RawRepresentable, Sendable, Hashable, Codable {
    /// A PNG file.
    case png
    /// Its pixels as they are, red, green and blue of 8 bits each.
    case raw
    /// A JPEG file of a quality from 1 to 100.
    case jpeg(quality: Int)

    /// The format that a text names: `png`, `raw`, or `jpeg` and a quality.
    package init?(rawValue: String) {
        switch rawValue {
        case "png": self = .png
        case "raw": self = .raw
        default:
            let words = rawValue.split(separator: " ")
            guard words.count == 2, words[0] == "jpeg", let quality = Int(words[1]),
                (1...100).contains(quality)
            else { return nil }
            self = .jpeg(quality: quality)
        }
    }

    package var rawValue: String {
        switch self {
        case .png: "png"
        case .raw: "raw"
        case .jpeg(let quality): "jpeg \(quality)"
        }
    }

    /// A JPEG of the usual quality.
    package static let jpeg = PictureFormat.jpeg(quality: Image.defaultQuality)
}
