import PosedSessions
import Testing

@Suite struct RecencyTests {
    @Test(arguments: 0..<20)
    func theListAgreesWithAnArray(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var list = RecencyList<Int>()
        var array: [Int] = []
        for _ in 0..<500 {
            let element = Int.random(in: 0..<12, using: &generator)
            if Bool.random(using: &generator) {
                list.use(element)
                array.removeAll { $0 == element }
                array.append(element)
            } else {
                let removed = list.remove(element)
                #expect(removed == array.contains(element))
                array.removeAll { $0 == element }
            }
            #expect(Array(list) == array)
            #expect(list.oldest == array.first)
            #expect(list.count == array.count)
        }
    }

    @Test func keepsWhatFits() {
        var cache = RecencyCache<String, Int>(byteLimit: 10)
        var dropped = cache.insert(1, bytes: 4, for: "a")
        dropped += cache.insert(2, bytes: 4, for: "b")
        #expect(dropped.isEmpty)
        let found = cache.value(for: "a")
        #expect(found == 1)
        dropped += cache.insert(3, bytes: 4, for: "c")
        #expect(dropped == [2])
        let absent = cache.value(for: "b")
        #expect(absent == nil)
        #expect(cache.statistics.bytes == 8)
        #expect(cache.statistics.hits == 1 && cache.statistics.misses == 1)
        #expect(cache.statistics.evictions == 1 && cache.statistics.entries == 2)
    }

    @Test func aSecondInsertionReplacesTheFirst() {
        var cache = RecencyCache<String, Int>(byteLimit: 10)
        let none = cache.insert(1, bytes: 9, for: "a")
        let first = cache.insert(2, bytes: 3, for: "a")
        #expect(none.isEmpty && first == [1])
        #expect(cache.statistics.bytes == 3 && cache.statistics.evictions == 0)
        // Too large for the cache: what was there is outdated, and goes.
        let second = cache.insert(3, bytes: 11, for: "a")
        #expect(second == [2])
        #expect(cache.statistics.bytes == 0 && cache.statistics.entries == 0)
        let negative = cache.insert(4, bytes: -1, for: "a")
        #expect(negative.isEmpty && cache.statistics.entries == 0)
    }

    @Test func aLargeValueDisplacesSmallOnes() {
        var cache = RecencyCache<Int, Int>(byteLimit: 10)
        let dropped = (0..<5).flatMap { cache.insert($0, bytes: 2, for: $0) }
        let displaced = cache.insert(9, bytes: 5, for: 9)
        #expect(dropped.isEmpty && displaced == [0, 1, 2])
        let beyond = cache.limit(toBytes: 6)
        #expect(beyond == [3, 4])
        let rest = cache.shrink(to: -1)
        #expect(rest == [9])
        #expect(cache.statistics.bytes == 0)
    }

    @Test func aPoseCacheOfNoBytesStaysEmpty() {
        let cache = PoseCache<[UInt8]>(byteLimit: 0) { $0.count }
        let key = ContentKey.pose([1], preprocessing: "", weights: [], numerics: "")
        cache.insert([1], for: key)
        #expect(cache.pose(for: key) == nil)
        cache.byteLimit = 4
        cache.insert([1, 2], for: key)
        #expect(cache.pose(for: key) == [1, 2])
        cache.trim(toBytes: 1)
        #expect(cache.pose(for: key) == nil)
        #expect(cache.statistics.bytes == 0)
    }

    /// What a cache gives up is destroyed behind its lock: a value that calls the cache at its end
    /// does not find it locked.
    @Test func dropsBehindTheLock() {
        final class Caller: Sendable {
            let cache: PoseCache<Caller>
            init(_ cache: PoseCache<Caller>) { self.cache = cache }
            deinit { cache.trim(toBytes: 1000) }
        }
        let cache = PoseCache<Caller>(byteLimit: 10) { _ in 6 }
        for number in 0..<5 {
            let key = ContentKey.pose(
                [UInt8(number)], preprocessing: "", weights: [], numerics: "")
            cache.insert(Caller(cache), for: key)
        }
        cache.trim(toBytes: 0)
        #expect(cache.statistics.evictions == 5)
    }
}
