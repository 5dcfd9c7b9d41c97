import PosedErrors
import PosedGuarded
import Testing

import PosedService

@Suite(.timeLimit(.minutes(10))) struct DrainTests {
    @Test func actionsRunOnceWhileTheirBodyDoes() async {
        let drain = Drain()
        let runs = Guarded(0)
        await drain.during {
            runs.withLock { $0 += 1 }
        } _: {
            drain.begin()
            drain.begin()
        }
        #expect(runs.withLock { $0 } == 1)
        #expect(drain.hasBegun)
    }

    @Test func actionsOfBodiesThatAreDoneDoNotRun() async {
        let drain = Drain()
        let runs = Guarded(0)
        await drain.during {
            runs.withLock { $0 += 1 }
        } _: {
        }
        drain.begin()
        #expect(runs.withLock { $0 } == 0)
    }

    @Test func whoComesLateIsToldAtOnce() async {
        let drain = Drain()
        drain.begin()
        let runs = Guarded(0)
        await drain.during {
            runs.withLock { $0 += 1 }
        } _: {
        }
        #expect(runs.withLock { $0 } == 1)
    }

    @Test func bodiesAreInterrupted() async {
        let drain = Drain()
        let (never, _) = AsyncStream<Void>.makeStream()
        let call = Task {
            try await drain.interrupting { for await _ in never {} }
        }
        drain.begin()
        let error = await #expect(throws: RequestError.self) { try await call.value }
        #expect(error?.code == .unavailable)
    }

    @Test func bodiesEndByThemselvesToo() async throws {
        struct Mine: Error {}
        let drain = Drain()
        try await drain.interrupting {}
        await #expect(throws: Mine.self) { try await drain.interrupting { throw Mine() } }
    }

    @Test func cancelledBodiesAreCancelled() async {
        let drain = Drain()
        let (never, _) = AsyncStream<Void>.makeStream()
        let call = Task {
            try await drain.interrupting {
                for await _ in never {}
                try Task.checkCancellation()
            }
        }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
    }
}
