import Foundation
import PosedBase
import PosedGuarded

/// Where the bytes of a film go: standard output, a file of them, or ffmpeg, which makes a file of another kind.
final class FilmSink: Sendable {
    /// The file that the film becomes; nil for standard output.
    let path: String?
    private let temporary: String?
    private let output: FileHandle
    private let program: Guarded<Process?>
    private let complaints: Pipe?

    private init(
        path: String?, temporary: String?, output: FileHandle, program: Process? = nil,
        complaints: Pipe? = nil
    ) {
        self.path = path
        self.temporary = temporary
        self.output = output
        self.program = Guarded(program)
        self.complaints = complaints
    }

    /// Standard output.
    static func standardOutput() -> FilmSink {
        FilmSink(path: nil, temporary: nil, output: .standardOutput)
    }

    /// A file; it has its name once it is whole. Throws `PosectlError` `file`.
    static func file(_ path: String) throws -> FilmSink {
        try PictureFile.check(path)
        let url = URL(fileURLWithPath: path)
        let temporary = url.deletingLastPathComponent().appendingPathComponent(
            ".\(getpid())-\(url.lastPathComponent)"
        ).path
        if path.lowercased().hasSuffix(".y4m") {
            guard FileManager.default.createFile(atPath: temporary, contents: nil),
                let output = FileHandle(forWritingAtPath: temporary)
            else { throw PosectlError(.file, "\(path): the file cannot be written") }
            return FilmSink(path: path, temporary: temporary, output: output)
        }
        return try ffmpeg(path, temporary)
    }

    private static func ffmpeg(_ path: String, _ temporary: String) throws -> FilmSink {
        guard let tool = find("ffmpeg") else {
            throw PosectlError(
                .file,
                "--out \(path): a film in this format takes ffmpeg, which is not installed (apt-get install "
                    + "ffmpeg); --out FOLDER writes pictures, --out film.y4m and --out - take no ffmpeg"
            )
        }
        let program = Process()
        let input = Pipe()
        let complaints = Pipe()
        program.executableURL = URL(fileURLWithPath: tool)
        program.arguments =
            ["-loglevel", "error", "-nostdin", "-f", "yuv4mpegpipe", "-i", "pipe:0"]
            + options(of: path) + ["-y", temporary]
        program.standardInput = input
        program.standardOutput = FileHandle.nullDevice
        program.standardError = complaints
        do {
            try program.run()
        } catch {
            throw PosectlError(.file, "\(tool): the program cannot be started", cause: error)
        }
        return FilmSink(
            path: path, temporary: temporary, output: input.fileHandleForWriting,
            program: program, complaints: complaints)
    }

    /// How ffmpeg is to encode: as every player reads it, and with no visible loss.
    private static func options(of path: String) -> [String] {
        let colours = [
            "-color_range", "tv", "-colorspace", "smpte170m", "-color_primaries", "smpte170m",
            "-color_trc", "smpte170m",
        ]
        switch URL(fileURLWithPath: path).pathExtension.lowercased() {
        case "mp4", "m4v", "mov", "mkv":
            // 4:2:0 has pairs of pixels.
            return [
                "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-crf", "16", "-pix_fmt",
                "yuv420p", "-movflags", "+faststart",
            ] + colours
        default: return []
        }
    }

    /// A program on the search path.
    private static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Writes bytes. Throws `PosectlError` `file`.
    func write(_ bytes: Data) throws {
        do {
            try output.write(contentsOf: bytes)
        } catch {
            throw failure(error)
        }
    }

    /// Ends the film: from now on the file has its name. Throws `PosectlError` `file`.
    func close() throws {
        guard let path, let temporary else { return }
        try? output.close()
        let status = program.withLock { program -> Int32 in
            defer { program = nil }
            program?.waitUntilExit()
            return program?.terminationStatus ?? 0
        }
        guard status == 0 else {
            let error = failure(nil)
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            try? FileManager.default.removeItem(atPath: temporary)
            throw PosectlError(
                .file, "\(path): the file cannot be written: \(SystemError.last)")
        }
    }

    /// Leaves no file.
    func remove() {
        guard let temporary else { return }
        try? output.close()
        program.withLock { program in
            program?.terminate()
            program?.waitUntilExit()
            program = nil
        }
        try? FileManager.default.removeItem(atPath: temporary)
    }

    /// Why a film cannot be written: ffmpeg's last line, where it has said something.
    private func failure(_ cause: (any Error)?) -> PosectlError {
        guard let path else {
            return PosectlError(.file, "standard output cannot be written", cause: cause)
        }
        let said = complaints.flatMap { pipe -> Substring? in
            program.withLock { $0?.waitUntilExit() }
            let text = String(
                decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
            return text.split(whereSeparator: \.isNewline).last
        }
        let reason = said.map { "ffmpeg says: \(Text.line(String($0)))" } ?? "the disk may be full"
        return PosectlError(.file, "\(path): the film cannot be written: \(reason)", cause: cause)
    }
}
