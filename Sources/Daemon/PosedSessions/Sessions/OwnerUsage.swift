/// What one identity has in the store.
struct OwnerUsage: Sendable {
    /// The places of its sessions, in the order in which they are listed.
    private(set) var positions: [PageToken.Position] = []
    /// Bytes of its sessions' pictures, those included that are deleted and still in use.
    var bytes = 0

    /// Adds a session's place.
    mutating func insert(_ position: PageToken.Position) {
        positions.insert(position, at: index(of: position))
    }

    /// Takes a session's place out.
    mutating func remove(_ position: PageToken.Position) {
        let index = index(of: position)
        guard index < positions.count, positions[index] == position else { return }
        positions.remove(at: index)
    }

    /// The places after one, or all of them.
    func positions(after position: PageToken.Position?) -> ArraySlice<PageToken.Position> {
        guard let position else { return positions[...] }
        let index = index(of: position)
        let isThere = index < positions.count && positions[index] == position
        return positions[(isThere ? index + 1 : index)...]
    }

    /// Where a place is, or belongs.
    private func index(of position: PageToken.Position) -> Int {
        var range = 0..<positions.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if positions[middle] < position {
                range = middle + 1..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return range.lowerBound
    }
}
