import CPicture
package import Foundation
import PosedBase

extension Image {
    /// The formats of picture files.
    package enum FileFormat: String, Sendable, CaseIterable {
        case png, jpeg, webp

        /// The format's name, as people write it.
        package var name: String {
            switch self {
            case .png: "PNG"
            case .jpeg: "JPEG"
            case .webp: "WebP"
            }
        }
    }

    /// What the header of a picture file states.
    package struct Header: Equatable, Sendable {
        /// The file's format.
        package let format: FileFormat
        /// Columns of the picture as it is shown, its orientation applied.
        package let width: Int
        /// Rows likewise.
        package let height: Int
        /// About the most bytes that are held while it is decoded, its pixels among them.
        package let decodingBytes: Int
    }

    /// The quality of JPEG files where nobody says, of 1 to 100.
    package static let defaultQuality = 90

    /// Larger picture files than this are not read, whatever they hold: 512 MiB.
    private static let fileLimit = 512 << 20

    /// Reads a picture file: a PNG, JPEG or WebP, told apart by content, whatever its name.
    ///
    /// Transparency is composited over `background`, an Exif orientation is applied. A picture of more than
    /// `pixelLimit` pixels is refused by its header, before anything is allocated. Throws `unreadableFile`,
    /// `notAPicture`, `damagedPicture`, `unsupportedPicture`, `tooLarge` or `outOfMemory`, with the path in the
    /// message.
    package init(
        file path: String, background: RGB = .white, pixelLimit: Int = Image.defaultPixelLimit
    ) throws {
        let data = try WholeFile.contents(path, limit: Image.fileLimit)
        try self.init(
            encoded: data, name: path, background: background, pixelLimit: pixelLimit)
    }

    /// Decodes a picture file held in memory; `name` stands for it in messages.
    package init(
        encoded data: Data, name: String = "the picture", background: RGB = .white,
        pixelLimit: Int = Image.defaultPixelLimit
    ) throws {
        let header = try Image.header(of: data, name: name)
        let (width, height) = (header.width, header.height)
        guard width <= pixelLimit / height else {
            throw VisionError(
                .tooLarge,
                "\(name): a picture of \(width) × \(height) pixels is larger than the limit of "
                    + "\(pixelLimit) pixels")
        }
        let count = try Image.byteCount(width: width, height: height)
        let under = [background.red, background.green, background.blue]
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { pixels, initialized in
            try Image.call(name, header.format) { message, capacity in
                data.withUnsafeBytes { raw in
                    cpicture_decode_rgb(
                        raw.assumingMemoryBound(to: UInt8.self).baseAddress, raw.count, under,
                        pixels.baseAddress, count, message, capacity)
                }
            }
            initialized = count
        }
        self.init(checkedWidth: width, height: height, bytes: bytes)
    }

    /// The format that data begins as; nil for data that begins as no picture file does.
    package static func fileFormat(of data: Data) -> FileFormat? {
        let start = [UInt8](data.prefix(16))
        return FileFormat(cpicture_format_of(start, start.count))
    }

    /// What a picture file's header states: its format and size, without decoding it.
    ///
    /// Throws `notAPicture`, `damagedPicture` or `unsupportedPicture`; `name` stands for the file in messages.
    package static func header(of data: Data, name: String = "the picture") throws -> Header {
        var header = cpicture_header()
        try call(name, fileFormat(of: data)) { message, capacity in
            data.withUnsafeBytes { raw in
                cpicture_read_header(
                    raw.assumingMemoryBound(to: UInt8.self).baseAddress, raw.count, &header,
                    message, capacity)
            }
        }
        guard let format = FileFormat(header.format) else {
            throw VisionError(.notAPicture, "\(name): this is no picture")
        }
        let (width, height) = (Int(header.width), Int(header.height))
        let pixels = width.multipliedReportingOverflow(by: height * 3)
        let working = Int(clamping: header.working_bytes)
        let sum = pixels.partialValue.addingReportingOverflow(working)
        return Header(
            format: format, width: width, height: height,
            decodingBytes: pixels.overflow || sum.overflow ? .max : sum.partialValue)
    }

    /// The picture as an 8-bit RGB PNG; `compression` is zlib's level, 0 to 9.
    package func pngData(compression: Int = 6) throws -> Data {
        try Image.png(bytes, width: width, height: height, channels: 3, compression: compression)
    }

    /// The picture as a JPEG of `quality` 1 to 100.
    ///
    /// Throws `invalidSize` for sides of more than 65,500 pixels, which a JPEG cannot have.
    package func jpegData(quality: Int = Image.defaultQuality) throws -> Data {
        let columns = UInt32(clamping: width)
        let rows = UInt32(clamping: height)
        let level = Int32(min(max(quality, 1), 100))
        return try Image.encoded { data, size, message, capacity in
            cpicture_encode_jpeg(bytes, columns, rows, level, data, size, message, capacity)
        }
    }

    /// Writes the picture as a PNG file, whole or not at all. Throws `unwritableFile`.
    package func writePNG(to path: String, compression: Int = 6) throws {
        try WholeFile.put(try pngData(compression: compression), at: path)
    }

    /// The format that a file to be written is given by its name: JPEG for `.jpg` and `.jpeg`, else PNG.
    package static func writtenFormat(of path: String) -> FileFormat {
        let name = path.lowercased()
        return name.hasSuffix(".jpg") || name.hasSuffix(".jpeg") ? .jpeg : .png
    }

    /// Writes the picture, whole or not at all, as a JPEG where the path ends in `.jpg` or `.jpeg`, else as a PNG.
    ///
    /// Throws `unwritableFile`, or `invalidSize` where the format cannot hold the picture.
    package func write(to path: String, quality: Int = Image.defaultQuality) throws {
        switch Image.writtenFormat(of: path) {
        case .jpeg: try WholeFile.put(try jpegData(quality: quality), at: path)
        default: try writePNG(to: path)
        }
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
        return try png(values, width: width, height: height, channels: 1, compression: compression)
    }

    private static func png(
        _ values: [UInt8], width: Int, height: Int, channels: Int32, compression: Int
    ) throws -> Data {
        guard let columns = UInt32(exactly: width), let rows = UInt32(exactly: height),
            max(columns, rows) <= UInt32(Int32.max)
        else {
            throw VisionError(
                .invalidSize, "a PNG of \(width) × \(height) pixels cannot be written")
        }
        let level = Int32(min(max(compression, 0), 9))
        return try encoded { data, size, message, capacity in
            cpicture_encode_png(
                values, columns, rows, channels, level, data, size, message, capacity)
        }
    }

    private typealias Bytes = UnsafeMutablePointer<UInt8>

    /// What an encoder of the shim makes.
    private static func encoded(
        _ body: (
            UnsafeMutablePointer<Bytes?>, UnsafeMutablePointer<Int>, UnsafeMutablePointer<CChar>?,
            Int
        ) -> cpicture_status
    ) throws -> Data {
        var data: Bytes?
        var size = 0
        defer { cpicture_free(data) }
        try call("the picture", nil) { message, capacity in body(&data, &size, message, capacity) }
        guard let data else { return Data() }
        return Data(bytes: data, count: size)
    }

    /// Calls into the shim and turns its status into an error that names the picture and its format.
    private static func call(
        _ name: String, _ format: FileFormat?,
        _ body: (UnsafeMutablePointer<CChar>?, Int) -> cpicture_status
    ) throws {
        var message = [CChar](repeating: 0, count: Int(CPICTURE_MESSAGE_CAPACITY))
        let status = message.withUnsafeMutableBufferPointer { buffer in
            body(buffer.baseAddress, buffer.count)
        }
        if status == CPICTURE_OK { return }
        let text = String(
            decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let kind = format?.name ?? "picture"
        switch status {
        case CPICTURE_UNKNOWN:
            throw VisionError(.notAPicture, "\(name): this is no picture: \(text)")
        case CPICTURE_DAMAGED:
            throw VisionError(.damagedPicture, "\(name): the \(kind) is damaged: \(text)")
        case CPICTURE_UNSUPPORTED:
            throw VisionError(.unsupportedPicture, "\(name): this \(kind) is not read: \(text)")
        case CPICTURE_NO_MEMORY:
            throw VisionError(.outOfMemory, "\(name): \(text)")
        default:
            throw VisionError(.invalidSize, "\(name): \(text)")
        }
    }
}

extension Image.FileFormat {
    fileprivate init?(_ format: cpicture_format) {
        switch format {
        case CPICTURE_PNG: self = .png
        case CPICTURE_JPEG: self = .jpeg
        case CPICTURE_WEBP: self = .webp
        default: return nil
        }
    }
}
