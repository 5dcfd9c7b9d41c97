import PosedSolvers
import Testing

@Suite struct TimeGridTests {
    @Test func dividesTheUnitEqually() throws {
        #expect(try TimeGrid(steps: 4).points == [0, 0.25, 0.5, 0.75, 1])
        #expect(try TimeGrid(steps: 1).points == [0, 1])
    }

    @Test func movesPointsByTheShift() throws {
        let points = try TimeGrid(steps: 4, timeShift: 3).points
        let expected = [0, 0.75 / 1.5, 1.5 / 2, 2.25 / 2.5, 1]
        #expect(zip(points, expected).allSatisfy { abs($0 - $1) < 1e-15 })
        #expect(points.count == expected.count)
    }

    @Test(arguments: [0.01, 0.3, 1, 3, 100], [1, 7, 1000])
    func increasesFromZeroToOne(_ shift: Double, _ steps: Int) throws {
        let grid = try TimeGrid(steps: steps, timeShift: shift)
        #expect(grid.steps == steps)
        #expect(grid.points.first == 0)
        #expect(grid.points.last == 1)
        #expect(zip(grid.points, grid.points.dropFirst()).allSatisfy(<))
    }

    @Test(arguments: [0, -1, 1001, Int.max, Int.min])
    func refusesAbsurdSteps(_ steps: Int) {
        let error = #expect(throws: SolverError.self) { try TimeGrid(steps: steps) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message == "1 to 1000 steps expected, but \(steps) asked for")
    }

    @Test(arguments: [0, -1, 1e9, .infinity, .nan])
    func refusesAbsurdShifts(_ shift: Double) {
        let error = #expect(throws: SolverError.self) { try TimeGrid(steps: 4, timeShift: shift) }
        #expect(error?.message == "a time shift from 0.01 to 100 expected, but it is \(shift)")
    }

    @Test func beginsLaterWithStepsAsLong() throws {
        #expect(try TimeGrid(steps: 8, from: 0.75).points == [0.75, 0.875, 1])
        #expect(try TimeGrid(steps: 8, timeShift: 3, from: 0) == TimeGrid(steps: 8, timeShift: 3))
        // At least one step is made, from however late a start.
        #expect(try TimeGrid(steps: 4, from: 0.99).points == [0.99, 1])
    }

    @Test(arguments: [0.01, 1, 100], [0.1, 0.5, 0.999])
    func increasesFromItsStart(_ shift: Double, _ start: Double) throws {
        let grid = try TimeGrid(steps: 50, timeShift: shift, from: start)
        #expect(grid.points.first == start && grid.points.last == 1)
        #expect(zip(grid.points, grid.points.dropFirst()).allSatisfy(<))
        #expect(grid.steps == max(1, Int((50 * (1 - start)).rounded())))
    }

    @Test(arguments: [-0.1, 1, 2, .infinity, .nan])
    func refusesStartsOffThePath(_ start: Double) {
        let error = #expect(throws: SolverError.self) { try TimeGrid(steps: 4, from: start) }
        #expect(
            error?.message == "a start on the path from 0 to below 1 expected, but it is \(start)")
    }
}
