import Foundation
package import PosedErrors
package import PosedProtos
package import PosedServing
package import PosedVision

extension Posed_V1_Image {
    /// The picture at `path`, no side of which is longer than `maxSide` pixels, laid over `background` where it is
    /// transparent.
    ///
    /// Sizes are checked before anything is allocated for them. Throws `RequestError`.
    package func image(
        at path: FieldPath, maxSide: Int, background: RGB = .white
    ) throws -> Image {
        switch encoding {
        case .png(let data):
            try Self.image(
                file: data, at: path.field("png"), maxSide: maxSide, background: background)
        case .jpeg(let data):
            try Self.image(
                file: data, at: path.field("jpeg"), maxSide: maxSide, background: background)
        case .webp(let data):
            try Self.image(
                file: data, at: path.field("webp"), maxSide: maxSide, background: background)
        case .raw(let raw): try raw.image(at: path.field("raw"), maxSide: maxSide)
        case nil:
            throw path.refusal(expected: "`png`, `jpeg`, `webp` or `raw`", got: "none of them")
        }
    }

    /// The pictures of a person at `path`. Throws `RequestError`.
    package static func images(
        _ images: [Posed_V1_Image], at path: FieldPath, limits: ServingLimits
    ) throws -> [Image] {
        guard (1...limits.maxSources).contains(images.count) else {
            throw path.refusal(
                expected: "1 to \(limits.maxSources) pictures", got: images.count)
        }
        return try images.enumerated().map { index, image in
            try image.image(at: path[index], maxSide: limits.maxSide)
        }
    }

    /// How pictures of a person at `path` are to be framed. Throws `RequestError`.
    package static func framing(
        _ images: [Posed_V1_Image], fit: Posed_V1_SourceFit, at path: FieldPath,
        fitAt fitPath: FieldPath
    ) throws -> SourceFraming {
        SourceFraming(
            fit: try fit.fit(at: fitPath),
            boxes: try images.enumerated().map { index, image in
                guard image.hasBox else { return nil }
                let path = path[index].field("box")
                let sides = 1...Int(Int32.max)
                return PictureBox(
                    x: Int(image.box.x), y: Int(image.box.y),
                    width: try path.field("width").checked(image.box.width, in: sides),
                    height: try path.field("height").checked(image.box.height, in: sides))
            })
    }

    /// What reading the picture takes, where its sides have at most `maxSide` pixels.
    package func cost(maxSide: Int) -> ReadingCost {
        switch encoding {
        case .png(let data), .jpeg(let data), .webp(let data):
            ReadingCost(file: data, maxSide: maxSide)
        case .raw(let raw):
            ReadingCost(
                kept: raw.rgb.count, most: raw.rgb.count, isHeavy: raw.rgb.count > 1 << 20)
        case nil: ReadingCost()
        }
    }

    /// A picture, written in `format`.
    package init(_ image: Image, as format: PictureFormat) throws {
        self.init()
        switch format {
        case .png:
            encoding = .png(try image.pngData(compression: Self.compression))
        case .jpeg(let quality): encoding = .jpeg(try image.jpegData(quality: quality))
        case .raw:
            var raw = Posed_V1_RawImage()
            raw.width = Int32(clamping: image.width)
            raw.height = Int32(clamping: image.height)
            raw.rgb = Data(image.bytes)
            encoding = .raw(raw)
        }
    }

    /// zlib's level: a frame is read once, soon and nearby, so time counts more than bytes.
    private static let compression = 1

    /// The picture in a file, refused by its header where it is too large.
    static func image(
        file data: Data, at path: FieldPath, maxSide: Int, background: RGB = .white
    ) throws -> Image {
        try path.reading {
            let header = try Image.header(of: data)
            guard max(header.width, header.height) <= maxSide else {
                throw path.refusal(
                    expected: "a picture of at most \(maxSide) pixels a side",
                    got: "\(header.width) × \(header.height)")
            }
            return try Image(
                encoded: data, background: background, pixelLimit: maxSide * maxSide)
        }
    }
}

extension [Posed_V1_Image] {
    /// What reading the pictures takes, one after another.
    package func cost(maxSide: Int) -> ReadingCost {
        .sum(map { $0.cost(maxSide: maxSide) })
    }
}

extension Posed_V1_SourceFit {
    /// The fit at `path`; nil where nothing is said. Throws `RequestError`.
    func fit(at path: FieldPath) throws -> PictureFit? {
        switch self {
        case .unspecified: nil
        case .stretch: .stretch
        case .crop: .crop
        case .pad: .pad
        case .UNRECOGNIZED(let number):
            throw path.refusal(expected: "a known fit", got: number)
        }
    }
}

extension Posed_V1_RawImage {
    /// The picture at `path`. Throws `RequestError`.
    func image(at path: FieldPath, maxSide: Int) throws -> Image {
        let width = try path.field("width").checked(width, in: 1...maxSide)
        let height = try path.field("height").checked(height, in: 1...maxSide)
        // The product of two sides fits; three times that need not.
        guard rgb.count % 3 == 0, rgb.count / 3 == width * height else {
            throw path.field("rgb").refusal(
                expected: "3 bytes for each of \(width) × \(height) pixels", got: rgb.count)
        }
        return try Image(width: width, height: height, bytes: [UInt8](rgb))
    }
}
