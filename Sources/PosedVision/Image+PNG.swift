import CPNG
package import Foundation

extension Image {
    /// Larger PNG files than this are not read, whatever they hold: 512 MiB.
    private static let fileLimit = 512 << 20

    /// Reads a PNG file of any colour type and bit depth.
    ///
    /// Transparency is composited over `background`. A picture of more than `pixelLimit` pixels is
    /// refused by its header, before anything is allocated. Throws `unreadableFile`, `notAPNG`,
    /// `damagedPNG`, `tooLarge` or `outOfMemory`, with the path in the message.
    package init(
        pngFile path: String, background: RGB = .white,
        pixelLimit: Int = Image.defaultPixelLimit
    ) throws {
        let data = try BoundedFile.read(path, limit: Image.fileLimit)
        try self.init(
            png: data, name: path, background: background, pixelLimit: pixelLimit)
    }

    /// Decodes a PNG held in memory; `name` stands for it in messages.
    package init(
        png data: Data, name: String = "the picture", background: RGB = .white,
        pixelLimit: Int = Image.defaultPixelLimit
    ) throws {
        let header = try Image.pngHeader(of: data, name: name)
        let (width, height) = (Int(header.width), Int(header.height))
        guard width <= pixelLimit / height else {
            throw VisionError(
                .tooLarge,
                "\(name): a picture of \(width) × \(height) pixels is larger than the limit of "
                    + "\(pixelLimit) pixels")
        }
        let count = try Image.byteCount(width: width, height: height)
        let under = [background.red, background.green, background.blue]
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { pixels, initialized in
            try Image.call(name) { message, capacity in
                data.withUnsafeBytes { raw in
                    cpng_decode_rgb(
                        raw.assumingMemoryBound(to: UInt8.self).baseAddress, raw.count, under,
                        pixels.baseAddress, count, message, capacity)
                }
            }
            initialized = count
        }
        self.init(checkedWidth: width, height: height, bytes: bytes)
    }

    /// Whether data begins as every PNG does.
    package static func looksLikePNG(_ data: Data) -> Bool {
        data.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    }

    /// The picture as an 8-bit RGB PNG; `compression` is zlib's level, 0 to 9.
    package func pngData(compression: Int = 6) throws -> Data {
        try Image.encode(
            bytes, width: width, height: height, channels: 3, compression: compression)
    }

    /// Writes the picture as a PNG file, whole or not at all. Throws `unwritableFile`.
    package func writePNG(to path: String, compression: Int = 6) throws {
        try BoundedFile.write(try pngData(compression: compression), to: path)
    }

    /// 8-bit grey values, `[H, W]`, as a grey PNG.
    package static func grayPNGData(
        _ values: [UInt8], width: Int, height: Int, compression: Int = 6
    ) throws -> Data {
        guard values.count == (try byteCount(width: width, height: height)) / 3 else {
            throw VisionError(
                .invalidSize,
                "a grey picture of \(width) × \(height) takes that many bytes, "
                    + "not \(values.count)")
        }
        return try encode(
            values, width: width, height: height, channels: 1, compression: compression)
    }

    private static func pngHeader(of data: Data, name: String) throws -> cpng_header {
        var header = cpng_header()
        try call(name) { message, capacity in
            data.withUnsafeBytes { raw in
                cpng_read_header(
                    raw.assumingMemoryBound(to: UInt8.self).baseAddress, raw.count, &header,
                    message, capacity)
            }
        }
        return header
    }

    private static func encode(
        _ values: [UInt8], width: Int, height: Int, channels: Int32, compression: Int
    ) throws -> Data {
        guard let columns = UInt32(exactly: width), let rows = UInt32(exactly: height),
            max(columns, rows) <= UInt32(Int32.max)
        else {
            throw VisionError(
                .invalidSize, "a PNG of \(width) × \(height) pixels cannot be written")
        }
        let level = Int32(min(max(compression, 0), 9))
        var data: UnsafeMutablePointer<UInt8>?
        var size = 0
        defer { cpng_free(data) }
        try call("the picture") { message, capacity in
            cpng_encode(values, columns, rows, channels, level, &data, &size, message, capacity)
        }
        guard let data else { return Data() }
        return Data(bytes: data, count: size)
    }

    /// Calls into the shim and turns its status into an error that names the picture.
    private static func call(
        _ name: String,
        _ body: (UnsafeMutablePointer<CChar>?, Int) -> cpng_status
    ) throws {
        var message = [CChar](repeating: 0, count: Int(CPNG_MESSAGE_CAPACITY))
        let status = message.withUnsafeMutableBufferPointer { buffer in
            body(buffer.baseAddress, buffer.count)
        }
        if status == CPNG_OK { return }
        let text = String(
            decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch status {
        case CPNG_NOT_A_PNG:
            throw VisionError(.notAPNG, "\(name): this is not a PNG picture: \(text)")
        case CPNG_DAMAGED:
            throw VisionError(.damagedPNG, "\(name): the PNG is damaged: \(text)")
        case CPNG_NO_MEMORY:
            throw VisionError(.outOfMemory, "\(name): \(text)")
        default:
            throw VisionError(.invalidSize, "\(name): \(text)")
        }
    }
}
