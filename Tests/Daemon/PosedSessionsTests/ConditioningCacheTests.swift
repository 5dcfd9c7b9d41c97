import PosedErrors
import PosedSessions
import Testing

@Suite struct ConditioningCacheTests {
    typealias Cache = ConditioningCache<[UInt8]>

    struct Failure: Error, Equatable {}

    private let key = ConditioningTableTests.key("a")

    private func cache(_ byteLimit: Int = 100) -> Cache {
        Cache(byteLimit: byteLimit) { $0.count }
    }

    /// Waits until so many requests have joined a computation.
    private func waitForJoins(_ count: Int, in cache: Cache) async {
        while cache.statistics.joins < count { await Task.yield() }
    }

    @Test func computesOnceAndKeeps() async throws {
        let cache = cache()
        let computed = Counter()
        for expected in [Cache.Reference.Origin.computed, .kept, .kept] {
            let reference = try await cache.reference(to: key, expectedBytes: 10) {
                computed.count()
                return [UInt8](repeating: 5, count: 10)
            }
            #expect(reference.origin == expected)
            #expect(reference.payload.count == 10 && reference.byteCount == 10)
            #expect(cache.statistics.pinnedBytes == 10)
            reference.release()
            reference.release()
            #expect(cache.statistics.pinnedBytes == 0)
        }
        #expect(computed.value == 1)
    }

    @Test func aForgottenReferenceIsReleased() async throws {
        let cache = cache()
        do {
            let reference = try await cache.reference(to: key, expectedBytes: 1) { [1] }
            #expect(reference.payload == [1])
            #expect(cache.statistics.pinnedBytes == 1)
        }
        #expect(cache.statistics.pinnedBytes == 0)
        let again = try cache.existingReference(to: key)
        #expect(again?.payload == [1])
        #expect(try cache.existingReference(to: ConditioningTableTests.key("b")) == nil)
        withExtendedLifetime(again) { #expect(cache.statistics.pinnedBytes == 1) }
    }

    @Test func requestsOfOneTimeShareOneComputation() async throws {
        let cache = cache()
        let gate = Gate()
        let origins = try await withThrowingTaskGroup(of: Cache.Reference.Origin.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let reference = try await cache.reference(to: key, expectedBytes: 2) {
                        await gate.pass()
                        return [1, 2]
                    }
                    return reference.origin
                }
            }
            await waitForJoins(19, in: cache)
            gate.open()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(gate.arrivals == 1)
        #expect(origins.count { $0 == .computed } == 1)
        #expect(origins.count { $0 == .joined } == 19)
        #expect(cache.statistics.bytes == 2 && cache.statistics.pinnedBytes == 0)
    }

    @Test(arguments: [true, false])
    func cancellingOneWaiterLeavesTheOther(first: Bool) async throws {
        let cache = cache()
        let gate = Gate()
        let wasCancelled = Counter()
        let request = { @Sendable [key] in
            try await cache.reference(to: key, expectedBytes: 2) {
                await gate.pass()
                if Task.isCancelled { wasCancelled.count() }
                return [1, 2]
            }.payload
        }
        let one = Task { try await request() }
        await gate.waitForArrivals(1)
        let two = Task { try await request() }
        await waitForJoins(1, in: cache)
        (first ? one : two).cancel()
        // It ends at once, with the computation still under way.
        await #expect(throws: CancellationError.self) { try await (first ? one : two).value }
        gate.open()
        #expect(try await (first ? two : one).value == [1, 2])
        #expect(wasCancelled.value == 0)
        #expect(gate.arrivals == 1)
    }

    @Test func theLastToLeaveStopsTheComputation() async throws {
        let cache = cache()
        let gate = Gate()
        let stopped = Gate()
        let request = { @Sendable [key] in
            try await cache.reference(to: key, expectedBytes: 2) {
                await withTaskCancellationHandler {
                    await gate.pass()
                } onCancel: {
                    gate.open()
                }
                stopped.open()
                try Task.checkCancellation()
                return [1, 2]
            }.payload
        }
        let tasks = [Task { try await request() }, Task { try await request() }]
        await waitForJoins(1, in: cache)
        for task in tasks { task.cancel() }
        for task in tasks {
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        await stopped.pass()
        // The next request computes anew.
        let next = try await cache.reference(to: key, expectedBytes: 1) { [9] }
        #expect(next.payload == [9] && next.origin == .computed)
    }

    @Test func aTaskThatIsCancelledBeforehandComputesNothing() async {
        let cache = cache()
        let start = Gate()
        let computed = Counter()
        let task = Task {
            await start.pass()
            return try await cache.reference(to: key, expectedBytes: 1) {
                computed.count()
                return [1]
            }.payload
        }
        task.cancel()
        start.open()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(computed.value == 0)
        #expect(cache.statistics.misses == 0)
    }

    @Test func aFailureReachesAll() async throws {
        let cache = cache()
        let gate = Gate()
        let request = { @Sendable [key] in
            _ = try await cache.reference(to: key, expectedBytes: 2) {
                await gate.pass()
                throw Failure()
            }
        }
        let tasks = (0..<3).map { _ in Task { try await request() } }
        await waitForJoins(2, in: cache)
        gate.open()
        for task in tasks { await #expect(throws: Failure.self) { try await task.value } }
        #expect(cache.statistics.bytes == 0 && cache.statistics.failures == 1)
        let next = try await cache.reference(to: key, expectedBytes: 1) { [9] }
        #expect(next.payload == [9])
    }

    @Test func refusesWhatDoesNotFit() async throws {
        let cache = cache(10)
        let held = try await cache.reference(to: key, expectedBytes: 8) {
            [UInt8](repeating: 0, count: 8)
        }
        let refusal = await #expect(throws: RequestError.self) {
            try await cache.reference(to: ConditioningTableTests.key("b"), expectedBytes: 3) {
                Issue.record("there is no room to compute this")
                return [1, 2, 3]
            }
        }
        #expect(refusal?.code == .resourceExhausted)
        held.release()
        let fits = try await cache.reference(
            to: ConditioningTableTests.key("b"), expectedBytes: 3
        ) { [1, 2, 3] }
        #expect(fits.origin == .computed)
        #expect(try cache.existingReference(to: key) == nil)
    }

    /// Many tasks, few keys, little room, and cancellations: nothing is left pinned, nothing hangs.
    @Test func survivesACrowd() async {
        let cache = cache(30)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let name = "\(number % 5)"
                    let task = Task {
                        let reference = try await cache.reference(
                            to: ConditioningTableTests.key(name), expectedBytes: 10
                        ) {
                            await Task.yield()
                            try Task.checkCancellation()
                            return [UInt8](repeating: UInt8(number % 5), count: 10)
                        }
                        await Task.yield()
                        return reference.payload[0]
                    }
                    if number.isMultiple(of: 3) { task.cancel() }
                    if let value = try? await task.value { #expect(value == UInt8(number % 5)) }
                }
            }
        }
        // Computations that nobody waits for end by themselves.
        while cache.statistics.pinnedBytes > 0 { await Task.yield() }
        #expect(cache.statistics.bytes <= 30)
        cache.trim(toBytes: 0)
        #expect(cache.statistics.bytes == 0 && cache.statistics.entries == 0)
    }
}
