internal import CPosedHeap

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
}
