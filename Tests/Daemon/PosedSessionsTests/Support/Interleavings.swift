/// Every order in which steps of several scripts can follow each other: lists of script numbers, in
/// which number k appears as often as script k has steps.
func interleavings(_ counts: [Int]) -> [[Int]] {
    guard counts.contains(where: { $0 > 0 }) else { return [[]] }
    return counts.indices.filter { counts[$0] > 0 }.flatMap { first in
        var rest = counts
        rest[first] -= 1
        return interleavings(rest).map { [first] + $0 }
    }
}
