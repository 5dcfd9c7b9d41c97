internal import CPosedGlibc
internal import Glibc
internal import PosedDaemon
internal import PosedTelemetry
internal import Testing

/// One after the other, as each moves by much what the other measures: there is one heap for all tests. What
/// they take is so much that everybody else's comings and goings do not count; nothing of it is touched.
@Suite("The policy of the heap", .serialized)
struct HeapPolicyTests {
    @Test("maps large blocks by themselves, even after larger ones were freed")
    func largeBlocks() {
        // With this glibc takes to serving blocks of up to as much out of its heaps, when nobody says more.
        free(malloc(24 << 20))
        HeapPolicy.apply(environment: [:])
        let before = posed_heap_now().mapped
        let blocks = (0..<1024).map { _ in malloc(1 << 20) }
        let mapped = posed_heap_now().mapped
        for block in blocks { free(block) }
        // Others allocate and free at the same time, but not that much.
        #expect(mapped > before + 768 << 20)
    }

    @Test("tells what is in use and what is kept for later")
    func gauges() throws {
        let registry = MetricsRegistry()
        try HeapPolicy.register(in: registry)
        let before = try values(registry)
        let blocks = (0..<1024).map { _ in malloc(1 << 20) }
        let during = try values(registry)
        for block in blocks { free(block) }
        // Others allocate and free at the same time, but not that much.
        #expect(during.used > before.used + Double(768 << 20))
        #expect(try values(registry).used < during.used - Double(768 << 20))
        #expect(during.unused > 0)
    }

    private func values(_ registry: MetricsRegistry) throws -> (used: Double, unused: Double) {
        func value(_ name: String) throws -> Double {
            let line = try #require(
                registry.exposition().split(separator: "\n").first { $0.hasPrefix("\(name) ") })
            return try #require(Double(line.split(separator: " ")[1]))
        }
        return (try value("posed_heap_used_bytes"), try value("posed_heap_unused_bytes"))
    }
}
