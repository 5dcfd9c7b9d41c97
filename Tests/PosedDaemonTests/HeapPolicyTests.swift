internal import CPosedHeap
internal import Glibc
internal import PosedDaemon
internal import Testing

@Suite("The policy of the heap")
struct HeapPolicyTests {
    @Test("maps large blocks by themselves, even after larger ones were freed")
    func largeBlocks() {
        // With this glibc takes to serving blocks of up to as much out of its heaps, when nobody says more.
        free(malloc(24 << 20))
        HeapPolicy.apply(environment: [:])
        let before = posed_heap_mapped_bytes()
        let blocks = (0..<200).map { _ in malloc(1 << 20) }
        let mapped = posed_heap_mapped_bytes()
        for block in blocks { free(block) }
        // Others allocate and free at the same time, but not that much.
        #expect(mapped > before + 150 << 20)
    }
}
