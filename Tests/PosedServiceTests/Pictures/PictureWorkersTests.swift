import Dispatch
import PosedGuarded
import Testing

import PosedService

@Suite(.timeLimit(.minutes(10))) struct PictureWorkersTests {
    @Test func workIsDoneAndItsErrorsArrive() async throws {
        struct Mine: Error {}
        let workers = PictureWorkers(threads: 2)
        #expect(try await workers.run { 6 * 7 } == 42)
        await #expect(throws: Mine.self) { try await workers.run { throw Mine() } }
    }

    @Test func workThatNobodyWantsAnyMoreIsLeftUndone() async throws {
        let workers = PictureWorkers(threads: 1)
        let (busy, started) = AsyncStream<Void>.makeStream()
        let hold = DispatchSemaphore(value: 0)
        let done = Guarded(false)
        let first = Task {
            try await workers.run {
                started.finish()
                hold.wait()
            }
        }
        for await _ in busy {}
        let second = Task { try await workers.run { done.withLock { $0 = true } } }
        second.cancel()
        hold.signal()
        try await first.value
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(done.withLock { $0 } == false)
    }

    @Test func muchWorkIsDoneInTheEnd() async throws {
        let workers = PictureWorkers(threads: 3)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 1...200 { group.addTask { try await workers.run { index } } }
            return try await group.reduce(0, +)
        }
        #expect(total == 20_100)
    }
}
