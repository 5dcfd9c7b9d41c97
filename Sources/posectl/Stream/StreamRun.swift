import PosedProtos
import PosedRPC

/// One stream from its start to its last frame.
struct StreamRun: Sendable {
    private typealias Call = StreamingCall<
        Posed_V1_StreamSynthesizeRequest, Posed_V1_StreamSynthesizeResponse
    >

    let client: Client
    let start: Posed_V1_StreamStart
    let reader: PoseReader
    /// Where the frames go.
    let folder: String
    /// Poses a second; nil for as many as are taken.
    let rate: Double?
    /// How soon a frame is due.
    let deadline: Duration?

    /// A pose's name, and when it was sent.
    private typealias Waiting = SentPoses<(name: String, sent: ContinuousClock.Instant)>

    /// Streams all poses. Throws `PosectlError`.
    func report() async throws -> StreamReport {
        let waiting = Waiting()
        let begin = ContinuousClock.now
        do {
            let call = try client.channel.stream(SynthesisMethods.stream)
            var request = Posed_V1_StreamSynthesizeRequest()
            request.start = start
            try await call.write(request)
            _ = try await call.next()
            let (records, arrivals) = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await send(call, waiting) }
                let answers = try await receive(call, waiting, since: begin)
                try await group.waitForAll()
                return answers
            }
            return StreamReport(
                session: start.session, seconds: (ContinuousClock.now - begin).seconds,
                records: records, arrivals: arrivals)
        } catch let error as RPCError {
            throw PosectlError(error)
        }
    }

    private func send(_ call: Call, _ waiting: Waiting) async throws {
        let begin = ContinuousClock.now
        var sequence: UInt64 = 0
        do {
            while let pose = try await reader.next() {
                if let rate {
                    try await Task.sleep(
                        until: begin + .seconds(Double(sequence) / rate), clock: .continuous)
                }
                sequence += 1
                var request = Posed_V1_StreamSynthesizeRequest()
                request.pose.sequence = sequence
                request.pose.pose = pose.pose
                waiting.add(sequence, (pose.name, .now))
                try await call.write(request)
            }
            try await call.finishWriting()
        } catch is RPCError {
            // The call is over; why, the side that reads learns.
        } catch {
            call.cancel()
            throw error
        }
    }

    private func receive(
        _ call: Call, _ waiting: Waiting, since begin: ContinuousClock.Instant
    ) async throws -> (records: [StreamRecord], arrivals: [Double]) {
        let bar = ProgressBar("frames", total: reader.total)
        var records: [StreamRecord] = []
        var arrivals: [Double] = []
        while let answer = try await call.next() {
            let now = ContinuousClock.now
            guard let pose = waiting.remove(answer.sequence) else { continue }
            var record = StreamRecord(
                sequence: answer.sequence, name: pose.name,
                latencyMs: (now - pose.sent).milliseconds)
            switch answer.event {
            case .frame(let frame):
                arrivals.append((now - begin).seconds)
                record.isLate = deadline.map { now - pose.sent > $0 } ?? false
                try await write(frame, &record)
            case .superseded(let superseded): record.supersededBy = superseded.supersededBy
            case .error(let error):
                let name = StatusCode(rawValue: error.code).name
                record.error = "\(name): \(error.message)"
                Terminal.warn("\(pose.name): \(name): \(error.message)")
            case .started, nil: continue
            }
            records.append(record)
            bar.step()
        }
        return (records, arrivals)
    }

    private func write(_ frame: Posed_V1_Frame, _ record: inout StreamRecord) async throws {
        let path = folder + (folder.hasSuffix("/") ? "" : "/") + record.name + ".png"
        let image = frame.image
        try await Background.run {
            try PictureFile.write(try PictureFile.png(image), to: path)
        }
        record.out = path
        record.nfe = frame.used.nfe
        record.seed = frame.used.seed
    }
}
