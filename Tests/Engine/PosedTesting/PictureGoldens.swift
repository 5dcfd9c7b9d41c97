import Foundation
package import PosedVision

/// What the goldens of `Tests/Goldens/vision` are compared by.
package enum PictureGoldens {
    /// The decoded contents of a file in `Tests/Goldens/vision`, such as `png.json`.
    package static func load<Content: Decodable>(
        _ name: String, as type: Content.Type
    ) throws -> Content {
        try JSONDecoder().decode(
            type, from: Data(contentsOf: Goldens.url("vision/\(name)")))
    }

    /// The picture that `pattern` of `make_vision.py` makes.
    package static func pattern(width: Int, height: Int, seed: Int = 0) throws -> Image {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<3 {
                    let waves =
                        x * (5 + c) + y * (9 - 2 * c) + ((x * y) >> 5) * (c + 1) + seed * 41
                    let grain = ((x * x * 31 + y * y * 17 + c * 101) >> 4) & 31
                    bytes.append(UInt8((waves & 255) ^ grain))
                }
            }
        }
        return try Image(width: width, height: height, bytes: bytes)
    }

    /// The 64-bit FNV-1a digest that stands for contents too large to keep, in hexadecimal.
    package static func digest(_ bytes: [UInt8]) -> String {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
