import Foundation
import PosedService
import PosedServing
import PosedProtos
import PosedVision

/// Small pictures for requests.
enum Pictures {
    /// A picture in which no two pixels are alike.
    static func image(width: Int = 4, height: Int = 3) throws -> Image {
        try Image(
            width: width, height: height,
            bytes: (0..<(width * height * 3)).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    }

    /// The same as raw pixels of a request.
    static func raw(width: Int = 4, height: Int = 3) throws -> Posed_V1_Image {
        try Posed_V1_Image(image(width: width, height: height), as: .raw)
    }

    /// The same as a PNG of a request.
    static func png(width: Int = 4, height: Int = 3) throws -> Posed_V1_Image {
        try Posed_V1_Image(image(width: width, height: height), as: .png)
    }

    /// A PNG that claims to be of that size and ends after its header.
    static func claim(width: UInt32, height: UInt32) throws -> Data {
        var data = try image().pngData()
        let number = { (value: UInt32) in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
        }
        data.replaceSubrange(16..<24, with: number(width) + number(height))
        return data
    }
}
