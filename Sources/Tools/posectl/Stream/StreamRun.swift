import PosedOptions
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
    let output: any FrameOutput
    /// Poses a second; nil for as many as are taken.
    let rate: Double?
    /// Poses under way at most; nil for as many as come.
    let ahead: Int?
    /// How soon a frame is due.
    let deadline: Duration?

    /// A pose's name, and when it was sent.
    private typealias Waiting = SentPoses<(name: String, sent: ContinuousClock.Instant)>

    /// Streams all poses.
    ///
    /// - Returns: What became of them, and why the stream broke if it did.
    /// - Throws: `PosectlError` when the stream did not even begin.
    func report() async throws -> (StreamReport, (any Error)?) {
        let begin = ContinuousClock.now
        let call: Call
        do {
            call = try client.channel.stream(
                SynthesisMethods.stream, options: Client.streamOptions(of: start.session))
            var request = Posed_V1_StreamSynthesizeRequest()
            request.start = start
            try await call.write(request)
            _ = try await call.next()
        } catch let error as RPCError {
            throw client.explained(error)
        }
        let answers = await exchange(call, since: begin)
        let report = StreamReport(
            session: start.session, seconds: (ContinuousClock.now - begin).seconds,
            records: answers.records, arrivals: answers.arrivals)
        return (report, answers.failure)
    }

    /// Sends and receives until there is nothing left to.
    private func exchange(
        _ call: Call, since begin: ContinuousClock.Instant
    ) async -> StreamAnswers {
        let waiting = Waiting()
        let (credits, credit) = AsyncStream<Void>.makeStream()
        for _ in 0..<(ahead ?? 0) { credit.yield() }
        return await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask { await send(call, waiting, credits) }
            var answers = await receive(call, waiting, credit, since: begin)
            credit.finish()
            group.cancelAll()
            // Why the side that writes gave up says more than that the call was cancelled.
            for await failure in group where failure != nil { answers.failure = failure }
            return answers
        }
    }

    /// Sends the poses; returns why it gave up, if that is not for the side that reads to say.
    private func send(
        _ call: Call, _ waiting: Waiting, _ credits: AsyncStream<Void>
    ) async -> (any Error)? {
        let begin = ContinuousClock.now
        var credit = credits.makeAsyncIterator()
        var sequence: UInt64 = 0
        do {
            while let pose = try await reader.next() {
                if let rate {
                    try await Task.sleep(
                        until: begin + .seconds(Double(sequence) / rate), clock: .continuous)
                }
                if ahead != nil, await credit.next() == nil { break }
                sequence += 1
                var request = Posed_V1_StreamSynthesizeRequest()
                request.pose.sequence = sequence
                request.pose.pose = pose.pose
                waiting.add(sequence, (pose.name, .now))
                try await call.write(request)
            }
            try await call.finishWriting()
            return nil
        } catch is RPCError {
            // The call is over; why, the side that reads learns.
            return nil
        } catch is CancellationError {
            return nil
        } catch {
            call.cancel()
            return error
        }
    }

    /// Writes the frames that come. Every answer is a credit for another pose.
    private func receive(
        _ call: Call, _ waiting: Waiting, _ credit: AsyncStream<Void>.Continuation,
        since begin: ContinuousClock.Instant
    ) async -> StreamAnswers {
        let bar = ProgressBar("frames", total: reader.total)
        var answers = StreamAnswers()
        do {
            while let answer = try await call.next() {
                let now = ContinuousClock.now
                guard let pose = waiting.remove(answer.sequence) else { continue }
                var record = StreamRecord(
                    sequence: answer.sequence, name: pose.name,
                    latencyMs: (now - pose.sent).milliseconds)
                switch answer.answer {
                case .frame(let frame):
                    answers.arrivals.append((now - begin).seconds)
                    record.isLate = deadline.map { now - pose.sent > $0 } ?? false
                    try await write(frame, &record)
                case .superseded(let superseded):
                    record.supersededBy = superseded.supersededBy
                    try await output.skip()
                case .error(let error):
                    let name = StatusCode(rawValue: error.code).name
                    record.error = "\(name): \(error.message)"
                    Terminal.note(Text.line("\(pose.name): \(name): \(error.message)"))
                    try await output.skip()
                case .started, nil: continue
                }
                answers.records.append(record)
                bar.step()
                credit.yield()
            }
        } catch let error as RPCError {
            answers.failure = client.explained(error)
        } catch {
            answers.failure = error
        }
        return answers
    }

    private func write(_ frame: Posed_V1_Frame, _ record: inout StreamRecord) async throws {
        record.out = try await output.take(frame.image, name: record.name)
        record.nfe = frame.used.nfe
        record.seed = frame.used.seed
    }
}
