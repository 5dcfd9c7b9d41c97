import Foundation
import PosedVision

/// What reading a part of a request takes, told by the headers of its files before anything is decompressed.
package struct ReadingCost: Equatable, Sendable {
    /// Bytes of what is made of it, which are kept until the request ends.
    package var kept = 0
    /// The most bytes at any time while it is read, `kept` among them.
    package var most = 0
    /// Whether it is work for a thread of its own: it must be decompressed, or is large.
    package var isHeavy = false

    /// Nothing.
    package init() {}

    init(kept: Int, most: Int, isHeavy: Bool) {
        self.kept = kept
        self.most = most
        self.isHeavy = isHeavy
    }

    /// A picture file's, with sides of at most `maxSide` pixels. One that is larger, or no picture, is refused by
    /// its header, so that it takes nothing.
    init(file data: Data, maxSide: Int) {
        isHeavy = true
        guard let header = try? Image.header(of: data), max(header.width, header.height) <= maxSide
        else { return }
        kept = 3 * header.width * header.height
        most = header.decodingBytes
    }

    /// Of parts that are read one after another: those that were read stay while the next one is.
    package static func sum(_ parts: some Sequence<ReadingCost>) -> ReadingCost {
        parts.reduce(into: ReadingCost()) { sum, part in
            sum.most = max(sum.most, sum.kept + part.most)
            sum.kept += part.kept
            sum.isHeavy = sum.isHeavy || part.isHeavy
        }
    }
}
