import PosedProtos
import PosedRPC

extension BenchRun {
    private typealias Call = StreamingCall<
        Posed_V1_StreamSynthesizeRequest, Posed_V1_StreamSynthesizeResponse
    >

    /// Streams of poses. Without a rate each keeps `ahead` poses under way.
    func streams(
        _ schedules: [BenchSchedule], start: Posed_V1_StreamStart, ahead: Int
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (worker, schedule) in schedules.enumerated() {
                group.addTask {
                    try await self.caller(worker, schedule, start: start, ahead: ahead)
                }
            }
            try await group.waitForAll()
        }
    }

    /// One stream, and another where it broke. A caller who finds no daemon time after time gives up, and
    /// one whom the daemon refuses does at once.
    private func caller(
        _ worker: Int, _ schedule: BenchSchedule, start: Posed_V1_StreamStart, ahead: Int
    ) async throws {
        var misses = 0
        while misses < Self.patience {
            let due = SentPoses<Double>()
            do {
                return try await stream(
                    worker, schedule, start: start, ahead: ahead, due: due)
            } catch let error as RPCError {
                try Task.checkCancellation()
                let lost = due.removeAll()
                for time in lost.isEmpty ? [now] : lost {
                    note(
                        BenchRecord(
                            worker: worker, due: time, end: now, outcome: .failed(error.code.name)))
                }
                guard error.code == .unavailable else { return }
                misses = due.answered > 0 ? 1 : misses + 1
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    private func stream(
        _ worker: Int, _ schedule: BenchSchedule, start: Posed_V1_StreamStart, ahead: Int,
        due: SentPoses<Double>
    ) async throws {
        let session = sessions[worker % sessions.count]
        let call = try client.channel.stream(
            SynthesisMethods.stream, options: Client.streamOptions(of: session))
        var request = Posed_V1_StreamSynthesizeRequest()
        request.start = start
        request.start.session = session
        request.start.settings = settings
        do {
            try await call.write(request)
        } catch let error as RPCError where error.code == .aborted {
            // The daemon has ended the call; reading tells why.
        }
        _ = try await call.next()
        let (credits, credit) = AsyncStream<Void>.makeStream()
        for _ in 0..<ahead { credit.yield() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await self.send(call, schedule, credits, due)
            }
            while let answer = try await call.next() {
                let time = due.remove(answer.sequence) ?? now
                note(answer, worker: worker, due: time)
                credit.yield()
            }
            credit.finish()
            try await group.waitForAll()
        }
    }

    private func note(
        _ answer: Posed_V1_StreamSynthesizeResponse, worker: Int, due: Double
    ) {
        switch answer.answer {
        case .frame(let frame):
            note(BenchRecord(worker: worker, due: due, end: now, frame: frame))
        case .superseded:
            note(BenchRecord(worker: worker, due: due, end: now, outcome: .superseded))
        case .error(let error):
            let status = StatusCode(rawValue: error.code).name
            note(BenchRecord(worker: worker, due: due, end: now, outcome: .failed(status)))
        case .started, nil: break
        }
    }

    private func send(
        _ call: Call, _ schedule: BenchSchedule, _ credits: AsyncStream<Void>,
        _ sent: SentPoses<Double>
    ) async throws {
        var sequence: UInt64 = 0
        var credit = credits.makeAsyncIterator()
        do {
            while let turn = schedule.next(at: now) {
                if let due = turn.due {
                    try await wait(until: due)
                } else if await credit.next() == nil {
                    break
                }
                sequence += 1
                sent.add(sequence, turn.due ?? now)
                var request = Posed_V1_StreamSynthesizeRequest()
                request.pose.sequence = sequence
                request.pose.pose = poses[turn.index % poses.count]
                try await call.write(request)
            }
            try await call.finishWriting()
        } catch is RPCError {
            // The call is over; why, the side that reads learns.
        }
    }
}
