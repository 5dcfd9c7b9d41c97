import PosedProtos
import PosedRPC

extension BenchRun {
    /// Callers who ask for single pictures. One who finds no daemon time after time gives up.
    func unary(_ schedule: BenchSchedule) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<concurrency {
                group.addTask { try await self.caller(worker, schedule) }
            }
            try await group.waitForAll()
        }
    }

    private func caller(_ worker: Int, _ schedule: BenchSchedule) async throws {
        var request = Posed_V1_SynthesizeRequest()
        request.session = sessions[worker % sessions.count]
        request.settings = settings
        var misses = 0
        while misses < Self.patience, let turn = schedule.next(at: now) {
            // When all callers are busy, a request begins later than it was due: that is its latency too.
            if let due = turn.due { try await wait(until: due) }
            let due = turn.due ?? now
            request.pose = poses[turn.index % poses.count]
            do {
                let response = try await client.channel.unary(
                    SynthesisMethods.synthesize, request,
                    options: client.options(of: request.session))
                note(BenchRecord(worker: worker, due: due, end: now, frame: response.frame))
                misses = 0
            } catch let error as RPCError {
                try Task.checkCancellation()
                note(
                    BenchRecord(
                        worker: worker, due: due, end: now, outcome: .failed(error.code.name)))
                guard error.code == .unavailable else {
                    misses = 0
                    continue
                }
                misses += 1
                try await Task.sleep(for: Self.pause)
            }
        }
    }
}
