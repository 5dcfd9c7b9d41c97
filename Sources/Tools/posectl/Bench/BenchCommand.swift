import ArgumentParser
import PosedOptions
import PosedProtos
import PosedRPC
import SwiftProtobuf

/// `posectl bench`.
struct BenchCommand: AsyncParsableCommand {
    /// What a caller does.
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case unary, stream
    }

    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Loads the daemon, and says how quickly it answers.",
        discussion: """
            Without --rate each caller sends its next request when it has the answer to the last \
            (streams keep --ahead poses under way). With --rate requests are due at times of their \
            own, whatever the daemon does, and latency counts from when they were due. The jitter is \
            the standard deviation of the time between two frames of one caller.

            Sessions are made of noise, or of --source, and ended afterwards. The exit status is 1 if \
            a request failed; superseded ones have not. When interrupted, it reports what it has.

            EXAMPLES
              posectl bench --duration 30s
              posectl bench --mode stream --concurrency 8 --format raw --json
              posectl bench --mode stream --concurrency 4 --rate 100 --max-lag 40ms --deadline 100ms
              posectl bench --mode unary --rate 20 --arrivals poisson --concurrency 64
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "What a caller does.")
    var mode = Mode.stream

    @Option(help: ArgumentHelp("Callers, or streams, at a time.", valueName: "n"))
    var concurrency = 1

    @Option(help: ArgumentHelp("Sessions; as many as callers without it.", valueName: "n"))
    var sessions: Int?

    @Option(help: ArgumentHelp("Requests a second, of all callers.", valueName: "n"))
    var rate: Double?

    @Option(help: "How requests of --rate come.")
    var arrivals = ArrivalProcess.Kind.poisson

    @Option(
        help: ArgumentHelp("How long to go on.", valueName: "time"),
        transform: Duration.parsed)
    var duration: Duration = .seconds(10)

    @Option(help: ArgumentHelp("Stop after so many requests.", valueName: "n"))
    var frames: Int?

    @Option(
        help: ArgumentHelp("The time at the beginning that does not count.", valueName: "time"),
        transform: Duration.parsed)
    var warmup: Duration = .seconds(1)

    @Option(help: ArgumentHelp("Poses under way in each stream without --rate.", valueName: "n"))
    var ahead = 2

    @Option(help: ArgumentHelp("Different poses, sent in turn.", valueName: "n"))
    var distinctPoses = 64

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Poses to send instead of those of a figure that walks.",
            valueName: "poses"),
        completion: .file())
    var poses: [String] = []

    @Option(
        help: ArgumentHelp(
            "A PNG picture for the sessions instead of noise; may be repeated.",
            valueName: "file"),
        completion: .file(extensions: ["png"]))
    var source: [String] = []

    @Option(help: ArgumentHelp("The model to load.", valueName: "name"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "How long a pose may wait before a later one supersedes it.",
            valueName: "time"),
        transform: Duration.parsed)
    var maxLag: Duration?

    @Option(
        help: ArgumentHelp("How soon a frame is due; later ones are late.", valueName: "time"),
        transform: Duration.parsed)
    var deadline: Duration?

    @Option(help: "How frames travel.")
    var format = PictureFormat.raw

    @OptionGroup(title: "Settings") var settings: SettingsOptions

    @Flag(help: "Print JSON.")
    var json = false

    mutating func validate() throws {
        let bounds: [(String, Int, ClosedRange<Int>)] = [
            ("--concurrency", concurrency, 1...4096), ("--sessions", sessions ?? 1, 1...4096),
            ("--frames", frames ?? 1, 1...100_000_000), ("--ahead", ahead, 1...64),
            ("--distinct-poses", distinctPoses, 1...100_000),
        ]
        for (name, value, range) in bounds where !range.contains(value) {
            throw ValidationError(
                "\(name): expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        if let rate, !(rate > 0 && rate <= 1_000_000) {
            throw ValidationError("--rate: expected more than 0 and at most 1000000")
        }
        guard warmup < duration else {
            throw ValidationError("--warmup: expected less than --duration")
        }
    }

    func run() async throws {
        let poses = try await loadPoses()
        let count = sessions ?? concurrency
        let given = try source.map { [try InputFile.picture($0)] }
        let pictures =
            given.isEmpty
            ? BenchPoses.pictures(count) : (0..<count).map { given[$0 % given.count] }
        let client = try await Client(connection)
        let (records, failure) = try await TemporarySession.with(
            client, pictures.map { Posed_V1_Sources($0, model: model) }
        ) { await load(client, sessions: $0, poses) }
        Terminal.clearProgress()
        let plan = BenchReport.Plan(
            mode: mode.rawValue, concurrency: concurrency, sessions: count, rate: rate,
            arrivals: rate.map { _ in arrivals.rawValue }, format: format.rawValue,
            seconds: duration.seconds)
        let report = BenchReport(
            plan: plan, records: records, warmup: warmup.seconds, deadline: deadline?.seconds)
        if json {
            try JSON.show(report)
        } else {
            for table in report.tables { table.show() }
        }
        if let failure { throw failure }
        let failed = records.count { $0.hasFailed }
        if failed > 0 {
            throw PosectlError(.refused, "\(failed) of \(records.count) requests failed")
        }
        if report.frames == 0 {
            throw PosectlError(.refused, "not one frame came in the time that counts")
        }
    }

    private func loadPoses() async throws -> [Posed_V1_Pose] {
        guard !poses.isEmpty else { return BenchPoses.walk(distinctPoses) }
        let reader = try PoseReader(poses)
        var all: [Posed_V1_Pose] = []
        while all.count < distinctPoses, let pose = try await reader.next() {
            all.append(pose.pose)
        }
        guard !all.isEmpty else { throw PosectlError(.file, "--poses: there is no pose in it") }
        return all
    }

    /// Loads the daemon; returns what became of the requests, and why there were no more if that is not
    /// because it was time.
    private func load(
        _ client: Client, sessions: [String], _ poses: [Posed_V1_Pose]
    ) async -> ([BenchRecord], (any Error)?) {
        var settings = settings.message
        settings.imageFormat = format.message
        let run = BenchRun(
            client: client, sessions: sessions, poses: poses, settings: settings,
            concurrency: concurrency, frames: frames)
        do {
            switch mode {
            case .unary: try await run.unary(schedule(0, of: 1))
            case .stream:
                var start = Posed_V1_StreamStart()
                if let maxLag { start.maxLag = Google_Protobuf_Duration(rounding: maxLag) }
                if let deadline {
                    start.frameDeadline = Google_Protobuf_Duration(rounding: deadline)
                }
                let schedules = (0..<concurrency).map { schedule($0, of: concurrency) }
                try await run.streams(schedules, start: start, ahead: ahead)
            }
        } catch let error as RPCError {
            return (run.allRecords, client.explained(error))
        } catch {
            return (run.allRecords, error)
        }
        return (run.allRecords, nil)
    }

    /// The part of the load that one of so many callers bears.
    private func schedule(_ index: Int, of count: Int) -> BenchSchedule {
        let process = rate.map {
            ArrivalProcess(arrivals, rate: $0 / Double(count), seed: UInt64(index) + 1)
        }
        let share = frames.map { $0 / count + (index < $0 % count ? 1 : 0) }
        return BenchSchedule(process: process, seconds: duration.seconds, frames: share)
    }
}

extension ArrivalProcess.Kind: ExpressibleByArgument {}
