import ArgumentParser
import PosedOptions
import PosedProtos
import PosedVision
import SwiftProtobuf

/// `posectl synthesize`.
struct SynthesizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthesize",
        abstract: "One picture, of a session or of pictures sent along.",
        discussion: """
            EXAMPLES
              posectl synthesize --session sessions/… --pose pose.json --out frame.png
              posectl synthesize --source person.png --pose pose.json --out frame.png --nfe 8 --seed 7
            """)

    @OptionGroup var connection: ConnectionOptions

    @OptionGroup var person: SourceOptions

    @Option(
        help: ArgumentHelp("A pose file of any known format.", valueName: "file"),
        completion: .file())
    var pose: String

    @Option(
        help: ArgumentHelp(
            "Where the picture goes; a JPEG where the name ends in .jpg, else a PNG.",
            valueName: "file"),
        completion: .file(extensions: ["png", "jpg"]))
    var out: String

    @OptionGroup(title: "Format") var format: FormatOptions

    @OptionGroup(title: "Poses") var reading: PoseOptions

    @OptionGroup(title: "Settings") var settings: SettingsOptions

    @Flag(help: "Print what the picture was made with and where the time went, as JSON.")
    var json = false

    mutating func validate() throws {
        try format.check(writesJPEG: Image.writtenFormat(of: out) == .jpeg)
    }

    func run() async throws {
        try PictureFile.check(out)
        var request = Posed_V1_SynthesizeRequest()
        if let session = person.session {
            request.session = session.name
        } else {
            request.sources = try person.message()
        }
        request.pose = try InputFile.pose(pose, reading.reading)
        if let target = try reading.target() { request.retargetTo = target }
        request.settings = settings.message
        let isJPEG = Image.writtenFormat(of: out) == .jpeg
        format.add(to: &request.settings, usual: isJPEG ? .jpeg : .png)
        let client = try await Client(connection)
        var frame = try await client.call(
            SynthesisMethods.synthesize, request, session: request.session
        ).frame
        try PictureFile.write(
            try PictureFile.file(
                frame.image, for: out, quality: format.quality ?? Image.defaultQuality), to: out)
        frame.clearImage()
        if json { return try JSON.show(frame) }
        print(Self.summary(frame, out: out))
    }

    /// One line on a frame that was written.
    static func summary(_ frame: Posed_V1_Frame, out: String) -> String {
        let used = frame.used
        let stages: [(String, Google_Protobuf_Duration)] = [
            ("queue", frame.timings.queue), ("source", frame.timings.source),
            ("pose", frame.timings.pose), ("solve", frame.timings.solve),
            ("decode", frame.timings.decode), ("encode", frame.timings.encode),
        ]
        let times = stages.filter { $0.1.timeInterval > 0 }.map {
            "\($0.0) \(Text.milliseconds($0.1.timeInterval * 1000))"
        }
        return Text.line(
            "\(out): \(used.width)x\(used.height), \(used.solver), \(used.nfe) evaluations"
                + "\(used.nfeReduced ? " (fewer, to be in time)" : ""), seed \(used.seed), "
                + "\(Text.milliseconds(frame.timings.total.timeInterval * 1000)) "
                + "(\(times.joined(separator: ", ")))")
    }
}
