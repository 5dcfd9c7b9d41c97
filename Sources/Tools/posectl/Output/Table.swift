/// Rows for people: columns as wide as what is in them, a head above.
package struct Table {
    /// How a column stands.
    package enum Alignment { case left, right }

    private let head: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// A table with that head; columns beyond `alignments` stand left.
    package init(_ head: [String], _ alignments: [Alignment] = []) {
        self.head = head
        self.alignments = alignments
    }

    /// Adds a row. Control characters of what daemons and callers wrote do not reach the terminal.
    package mutating func add(_ cells: [String]) {
        rows.append(cells.map(Text.line))
    }

    /// Its lines; only the head if there are no rows.
    package var lines: [String] {
        let all = head.allSatisfy(\.isEmpty) ? rows : [head] + rows
        let columns = all.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                let isRight = column < alignments.count && alignments[column] == .right
                return isRight ? space + cell : cell + space
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// Prints it.
    func show() {
        for line in lines { print(line) }
    }
}
