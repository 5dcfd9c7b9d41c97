import Testing

import posectl

@Suite struct TableTests {
    @Test func columnsAreAsWideAsTheirWidestCell() {
        var table = Table(["NAME", "N"], [.left, .right])
        table.add(["a", "1"])
        table.add(["longer", "1000"])
        #expect(table.lines == ["NAME       N", "a          1", "longer  1000"])
    }

    @Test func anEmptyTableIsItsHead() {
        #expect(Table(["NAME", "N"]).lines == ["NAME  N"])
    }

    @Test func aTableMayHaveNoHead() {
        var table = Table([])
        table.add(["key", "value"])
        table.add(["", "more"])
        #expect(table.lines == ["key  value", "     more"])
    }

    @Test func whatCallersWroteCannotMoveTheCursor() {
        var table = Table(["NAME"])
        table.add(["\u{1B}[2Jgone\r\n"])
        #expect(table.lines[1] == "[2Jgone")
    }

    @Test func theBarFitsItsWork() {
        #expect(
            ProgressBar.line("frames", done: 5, total: 10, elapsed: .seconds(5))
                == "frames: [############------------] 5/10, 1 a second, 5 s left")
        #expect(
            ProgressBar.line("frames", done: 7, total: nil, elapsed: .seconds(2))
                == "frames: 7, 3.5 a second")
        #expect(ProgressBar.line("frames", done: 12, total: 10, elapsed: .zero).contains("12/10"))
    }
}
