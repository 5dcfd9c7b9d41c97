import ArgumentParser
import Foundation
import PosedOptions
import PosedProtos
import SwiftProtobuf

/// `posectl stream`.
struct StreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Pose after pose becomes frame after frame: pictures or a film.",
        discussion: """
            Poses are files of any known format, folders of them, .jsonl files with a pose on each \
            line, or - for lines on standard input. A frame is called as its pose's file, or as the \
            number of its line.

            --out is a folder for pictures, or a film: walk.mp4 (or .mov, .mkv, .webm, .gif, made by \
            ffmpeg), walk.y4m, or - for YUV4MPEG2 on standard output, where the report goes to stderr. A \
            film shows the frame before where a pose has none. Its rate is --fps, else --rate, else that \
            of the poses, else 25.

            Without --max-lag every pose becomes a frame. With it, the latest pose wins: one that \
            waited longer is superseded once a later one has come, as in a live stream. So poses are \
            sent as they come then, and with --rate when it is their time; else --ahead of them are \
            under way, and latency is not the time in a long queue.

            When interrupted, it says what became of the poses until then.

            EXAMPLES
              posectl stream --session sessions/… --poses walk/ --out frames/
              posectl stream --source me.jpg --poses walk.jsonl --out walk.mp4
              posectl stream --source me.jpg --poses walk.jsonl --out - | ffplay -i -
              posectl stream --source person.png --poses walk.jsonl --out frames/ --rate 25 --max-lag 80ms
              tracker | posectl stream --session sessions/… --poses - --out frames/ --max-lag 40ms
            """)

    @OptionGroup var connection: ConnectionOptions

    @OptionGroup var person: SourceOptions

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Files, folders, .jsonl files, or -.", valueName: "poses"),
        completion: .file())
    var poses: [String]

    @Option(
        help: ArgumentHelp(
            "A folder for the frames, a film such as walk.mp4, or -.", valueName: "folder"),
        completion: .directory)
    var out: String

    @Option(help: ArgumentHelp("Frames a second of a film.", valueName: "n"))
    var fps: Double?

    @Option(help: ArgumentHelp("Poses a second; else as fast as they are taken.", valueName: "n"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            "Poses under way at most without --rate; 2, or as many as come with --max-lag.",
            valueName: "n"))
    var ahead: Int?

    @Option(
        help: ArgumentHelp(
            "How long a pose may wait before a later one supersedes it.",
            valueName: "time"),
        transform: Duration.parsed)
    var maxLag: Duration?

    @Option(
        help: ArgumentHelp("How soon a frame is due.", valueName: "time"),
        transform: Duration.parsed)
    var deadline: Duration?

    @Option(
        help: ArgumentHelp(
            "Begin each solve at the frame before, at this time of the path.", valueName: "t"))
    var warmStart = 0.0

    @OptionGroup(title: "Format") var format: FormatOptions

    @OptionGroup(title: "Poses") var reading: PoseOptions

    @OptionGroup(title: "Poses") var smoothing: SmoothingOptions

    @OptionGroup(title: "Settings") var settings: SettingsOptions

    @Flag(help: "Print what became of the stream and of every pose, as JSON.")
    var json = false

    mutating func validate() throws {
        if let rate, !(rate > 0 && rate <= 10_000) {
            throw ValidationError("--rate: expected more than 0 and at most 10000")
        }
        try format.check(writesJPEG: false)
        if let fps, !(fps >= 0.1 && fps <= 1000) {
            throw ValidationError("--fps: expected a number from 0.1 to 1000")
        }
        if fps != nil, !FilmEncoder.isFilm(out) {
            throw ValidationError("--fps: expected a film as --out, such as walk.mp4")
        }
        if let ahead, !(1...64).contains(ahead) {
            throw ValidationError("--ahead: expected a number from 1 to 64")
        }
    }

    func run() async throws {
        let reader = try PoseReader(poses, reading: reading.reading)
        let isFilm = FilmEncoder.isFilm(out)
        if !isFilm { try reader.checkNames() }
        let sources = try person.message()
        let output: any FrameOutput =
            isFilm
            ? try FilmOutput(out, rate: fps ?? rate ?? reader.rate ?? 25) : try FolderOutput(out)
        do {
            try await run(reader, sources, output, isFilm ? .raw : .png)
        } catch {
            await output.abandon()
            throw error
        }
    }

    private func run(
        _ reader: PoseReader, _ sources: Posed_V1_Sources, _ output: any FrameOutput,
        _ usual: PictureFormat
    ) async throws {
        let client = try await Client(connection)
        let outcome: (StreamReport, (any Error)?)
        if let session = person.session {
            outcome = try await stream(client, session.name, reader, output, usual)
        } else {
            outcome = try await TemporarySession.with(client, [sources]) {
                try await stream(client, $0[0], reader, output, usual)
            }
        }
        let (report, failure) = outcome
        // A film that was interrupted ends there; one whose stream broke is none.
        if failure == nil || Interruption.exitStatus != nil { try await output.finish() }
        Terminal.clearProgress()
        try show(report)
        if let failure { throw failure }
        if report.failed > 0 {
            throw PosectlError(
                .refused, "\(report.failed) of \(report.poses.count) poses failed")
        }
    }

    /// Prints the report, on stderr where standard output is the film.
    private func show(_ report: StreamReport) throws {
        let lines = json ? [try JSON.text(report)] : report.table.lines
        guard out == "-" else { return lines.forEach { print($0) } }
        FileHandle.standardError.write(Data((lines.joined(separator: "\n") + "\n").utf8))
    }

    private func stream(
        _ client: Client, _ session: String, _ reader: PoseReader, _ output: any FrameOutput,
        _ usual: PictureFormat
    ) async throws -> (StreamReport, (any Error)?) {
        var start = Posed_V1_StreamStart()
        start.session = session
        start.settings = settings.message
        format.add(to: &start.settings, usual: usual)
        if let maxLag { start.maxLag = Google_Protobuf_Duration(rounding: maxLag) }
        if let deadline { start.frameDeadline = Google_Protobuf_Duration(rounding: deadline) }
        start.warmStart = warmStart
        if let target = try reading.target() { start.retargetTo = target }
        if let smooth = smoothing.smooth {
            start.smoothing.minCutoff = smooth
            if let rate = rate ?? reader.rate { start.smoothing.rate = rate }
        }
        let run = StreamRun(
            client: client, start: start, reader: reader, output: output, rate: rate,
            ahead: rate == nil ? ahead ?? (maxLag == nil ? 2 : nil) : nil, deadline: deadline)
        return try await run.report()
    }
}
