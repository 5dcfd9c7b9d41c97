/// What is measured against the target picture; the raw value is its name in reports.
package enum Subject: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable {
    /// The model's picture.
    case output
    /// The source picture, given as the answer.
    case copy
    /// The target picture through the autoencoder, the best the model could do.
    case reconstruction
}
