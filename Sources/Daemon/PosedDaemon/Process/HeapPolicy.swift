internal import CPosedGlibc
package import PosedTelemetry

/// How the C library's heap is to behave in a process that runs for months.
package enum HeapPolicy {
    private typealias Rule = (name: String, rule: posed_heap_rule, value: Int32)

    /// Left to itself, glibc makes up to eight heaps for each processor, and, once a large block was freed,
    /// takes blocks of up to 32 MiB out of them. Messages come in sizes of megabytes, from threads that
    /// take turns: each heap grows to its own worst moment and small blocks keep it there. The soak saw
    /// 40 MB of 70 lie unused after four minutes, and more with every minute. With two heaps that have
    /// only small blocks, and large ones mapped by themselves, it sees a level.
    private static var rules: [Rule] {
        [
            ("MALLOC_ARENA_MAX", POSED_HEAP_ARENAS, 2),
            ("MALLOC_MMAP_THRESHOLD_", POSED_HEAP_MAP_FROM, 256 << 10),
            ("MALLOC_TRIM_THRESHOLD_", POSED_HEAP_TRIM_FROM, 4 << 20),
        ]
    }

    /// Sets it, except where the environment says otherwise in glibc's own variables. To be called
    /// before there is a second thread.
    package static func apply(environment: [String: String]) {
        for rule in rules where environment[rule.name] == nil {
            _ = posed_heap_set(rule.rule, rule.value)
        }
    }

    /// Adds to a registry what the heaps hold; each gauge is read anew for every page. With resident memory
    /// beside them they tell a leak (`used` rises) from holes (`unused` rises).
    ///
    /// - Throws: ``TelemetryError`` where a name is in other use.
    package static func register(in registry: MetricsRegistry) throws(TelemetryError) {
        try registry.observe(
            "posed_heap_used_bytes", .gauge, help: "Blocks of the C heap that are in use."
        ) { Double(posed_heap_now().used) }
        try registry.observe(
            "posed_heap_unused_bytes", .gauge, help: "What the C heap keeps for later."
        ) { Double(posed_heap_now().unused) }
    }
}
