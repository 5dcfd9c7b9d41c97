package import Foundation
import PosedGuarded
import PosedProtos
package import PosedVision

/// Where the frames of a stream go. It is told of every pose, in order, by one task at a time.
protocol FrameOutput: Sendable {
    /// Takes a frame; returns the file that shows it, where there is one.
    ///
    /// - Throws: `PosectlError`, `VisionError`.
    func take(_ image: Posed_V1_Image, name: String) async throws -> String?

    /// A pose has no frame.
    func skip() async throws

    /// Makes what was taken whole. Throws `PosectlError` `file`.
    func finish() async throws

    /// Leaves nothing that is not whole.
    func abandon() async
}

/// A file for each frame in a folder, called as its pose.
struct FolderOutput: FrameOutput {
    private let folder: String

    /// A folder, made where there is none. Throws `PosectlError` `file`.
    init(_ folder: String) throws {
        try PictureFile.makeFolder(folder)
        self.folder = folder.hasSuffix("/") ? folder : folder + "/"
    }

    func take(_ image: Posed_V1_Image, name: String) async throws -> String? {
        let path = folder + name + PictureFile.ending(of: image)
        try await Background.run { try PictureFile.write(try PictureFile.file(image), to: path) }
        return path
    }

    func skip() {}
    func finish() {}
    func abandon() {}
}

/// A film of the frames at a fixed rate: YUV4MPEG2 on standard output, or a file that ffmpeg makes of it.
///
/// A pose without a frame shows the frame before, so that the time is kept; before the first frame, that one.
final class FilmOutput: FrameOutput {
    private struct State {
        var encoder: FilmEncoder?
        var skipped = 0
    }

    private let rate: Double
    private let sink: FilmSink
    private let state = Guarded(State())

    /// A film on standard output for `-`, else in a file. Throws `PosectlError` `file`.
    ///
    /// - Parameter rate: Frames a second.
    init(_ path: String, rate: Double) throws {
        // A reader that goes away is an error of writing.
        signal(SIGPIPE, SIG_IGN)
        self.rate = rate
        sink = try path == "-" ? .standardOutput() : .file(path)
    }

    func take(_ image: Posed_V1_Image, name: String) async throws -> String? {
        try await Background.run { [self] in
            let picture = try PictureFile.picture(image)
            let bytes = try state.withLock { state in
                var encoder =
                    state.encoder
                    ?? FilmEncoder(width: picture.width, height: picture.height, rate: rate)
                let frame = try encoder.frame(picture, name: name)
                let head = state.encoder == nil ? encoder.header : Data()
                let repeated = state.encoder == nil ? state.skipped : 0
                state.encoder = encoder
                return head + Data((0...repeated).map { _ in frame }.joined())
            }
            try sink.write(bytes)
        }
        return sink.path
    }

    func skip() async throws {
        let again: Data? = state.withLock { state in
            if state.encoder == nil { state.skipped += 1 }
            return state.encoder?.last
        }
        guard let again else { return }
        try await Background.run { [self] in try sink.write(again) }
    }

    func finish() async throws {
        let isEmpty = state.withLock { $0.encoder == nil }
        try await Background.run { [self] in try isEmpty ? sink.remove() : sink.close() }
    }

    func abandon() async {
        try? await Background.run { [self] in sink.remove() }
    }
}

/// Pictures as frames of YUV4MPEG2: 4:2:0, BT.601, limited range.
package struct FilmEncoder {
    private let width: Int
    private let height: Int
    private let rate: Double
    /// The frame before.
    package private(set) var last = Data()

    /// Whether a path names a film: a file whose ending ffmpeg knows as one, or standard output.
    package static func isFilm(_ path: String) -> Bool {
        let endings = ["mp4", "m4v", "mov", "mkv", "webm", "avi", "gif", "y4m"]
        return path == "-" || endings.contains { path.lowercased().hasSuffix("." + $0) }
    }

    /// An encoder of frames of that size.
    package init(width: Int, height: Int, rate: Double) {
        self.width = width
        self.height = height
        self.rate = rate
    }

    /// What comes before the first frame.
    package var header: Data {
        let thousandths = Int((rate * 1000).rounded())
        let divisor = Self.greatestCommonDivisor(thousandths, 1000)
        return Data(
            ("YUV4MPEG2 W\(width) H\(height) F\(thousandths / divisor):\(1000 / divisor) Ip A1:1 "
                + "C420jpeg XCOLORRANGE=LIMITED\n").utf8)
    }

    /// A frame. Throws `PosectlError` `refused` for a picture of another size.
    package mutating func frame(_ image: Image, name: String) throws -> Data {
        guard image.width == width, image.height == height else {
            throw PosectlError(
                .refused,
                "\(name): the frames of a film have one size, \(width) × \(height), but this one has "
                    + "\(image.width) × \(image.height)")
        }
        let (columns, rows) = ((width + 1) / 2, (height + 1) / 2)
        var luma: [UInt8] = []
        luma.reserveCapacity(width * height)
        var blue = [Int](repeating: 0, count: columns * rows)
        var red = blue
        var counts = blue
        image.bytes.withUnsafeBufferPointer { bytes in
            for index in 0..<(width * height) {
                let (r, g, b) = (
                    Int(bytes[index * 3]), Int(bytes[index * 3 + 1]), Int(bytes[index * 3 + 2])
                )
                luma.append(UInt8((16_829 * r + 33_039 * g + 6_416 * b + 0x108000) >> 16))
                let cell = index / width / 2 * columns + index % width / 2
                blue[cell] += -9_714 * r - 19_070 * g + 28_784 * b
                red[cell] += 28_784 * r - 24_103 * g - 4_681 * b
                counts[cell] += 1
            }
        }
        func plane(_ sums: [Int]) -> [UInt8] {
            zip(sums, counts).map { UInt8(clamping: ($0 / $1 + 0x808000) >> 16) }
        }
        last = Data("FRAME\n".utf8) + luma + plane(blue) + plane(red)
        return last
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? max(a, 1) : greatestCommonDivisor(b, a % b)
    }
}
