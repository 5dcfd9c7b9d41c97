/// How a picture is sent to whoever asked for it.
package enum PictureFormat: String, Sendable, Equatable, Codable {
    /// A PNG file.
    case png
    /// Its pixels as they are, red, green and blue of 8 bits each.
    case raw
}
