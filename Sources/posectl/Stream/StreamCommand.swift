import ArgumentParser
import PosedProtos
import SwiftProtobuf

/// `posectl stream`.
struct StreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Pose after pose becomes frame after frame, as PNG files.",
        discussion: """
            Poses are files of any known format, folders of them, .jsonl files with a pose on each \
            line, or - for lines on standard input. A frame is called as its pose's file, or as the \
            number of its line.

            Without --max-lag every pose becomes a frame. With it, the latest pose wins: one that \
            waited longer is superseded once a later one has come, as in a live stream. So poses are \
            sent as they come then, and with --rate when it is their time; else --ahead of them are \
            under way, and latency is not the time in a long queue.

            When interrupted, it says what became of the poses until then.

            EXAMPLES
              posectl stream --session sessions/… --poses walk/ --out frames/
              posectl stream --source person.png --poses walk.jsonl --out frames/ --rate 25 --max-lag 80ms
              tracker | posectl stream --session sessions/… --poses - --out frames/ --max-lag 40ms
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(help: ArgumentHelp("A session of the person.", valueName: "name"))
    var session: SessionName?

    @Option(
        help: ArgumentHelp(
            "A PNG picture of the person, for a session of this command alone; may be repeated.",
            valueName: "file"),
        completion: .file(extensions: ["png"]))
    var source: [String] = []

    @Option(help: ArgumentHelp("The model that is to see --source.", valueName: "name"))
    var model: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Files, folders, .jsonl files, or -.", valueName: "poses"),
        completion: .file())
    var poses: [String]

    @Option(
        help: ArgumentHelp("The folder for the frames.", valueName: "folder"),
        completion: .directory)
    var out: String

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

    @Option(help: "How frames travel; raw is quicker on one machine.")
    var format = PictureFormat.png

    @OptionGroup(title: "Settings") var settings: SettingsOptions

    @Flag(help: "Print what became of the stream and of every pose, as JSON.")
    var json = false

    mutating func validate() throws {
        if (session == nil) == source.isEmpty {
            throw ValidationError("expected either --session or --source")
        }
        if let rate, !(rate > 0 && rate <= 10_000) {
            throw ValidationError("--rate: expected more than 0 and at most 10000")
        }
        if let ahead, !(1...64).contains(ahead) {
            throw ValidationError("--ahead: expected a number from 1 to 64")
        }
    }

    func run() async throws {
        let reader = try PoseReader(poses)
        try reader.checkNames()
        let pictures = try source.map(InputFile.picture)
        try PictureFile.makeFolder(out)
        let client = try await Client(connection)
        let outcome: (StreamReport, (any Error)?)
        if let session {
            outcome = try await stream(client, session.name, reader)
        } else {
            outcome = try await TemporarySession.with(
                client, pictures: [pictures], model: model
            ) { try await stream(client, $0[0], reader) }
        }
        let (report, failure) = outcome
        Terminal.clearProgress()
        if json { try JSON.show(report) } else { report.table.show() }
        if let failure { throw failure }
        if report.failed > 0 {
            throw PosectlError(
                .refused, "\(report.failed) of \(report.poses.count) poses failed")
        }
    }

    private func stream(
        _ client: Client, _ session: String, _ reader: PoseReader
    ) async throws -> (StreamReport, (any Error)?) {
        var start = Posed_V1_StreamStart()
        start.session = session
        start.settings = settings.message
        start.settings.imageFormat = format.message
        if let maxLag { start.maxLag = Google_Protobuf_Duration(rounding: maxLag) }
        if let deadline { start.frameDeadline = Google_Protobuf_Duration(rounding: deadline) }
        start.warmStart = warmStart
        let run = StreamRun(
            client: client, start: start, reader: reader, folder: out, rate: rate,
            ahead: rate == nil ? ahead ?? (maxLag == nil ? 2 : nil) : nil, deadline: deadline)
        return try await run.report()
    }
}
