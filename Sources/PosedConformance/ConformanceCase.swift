import CPosedBackend
import PosedBackend

/// One thing that a backend must do, and the check that it does.
package struct ConformanceCase: Sendable {
    /// What is tried, such as `linear f32 b2 t7 k33 n5 silu`.
    package let name: String
    /// The greatest error that passes; 0 where equal bits are asked for.
    package let tolerance: Double

    /// The operation that the device must support for the case to make sense, if any.
    let query: posed_op_query?
    /// Whether a device may decline the query.
    let mayDecline: Bool
    /// Does the work and returns the error found.
    let body: @Sendable (Bench) throws -> Double

    init(
        _ name: String, tolerance: Double = 0, query: posed_op_query? = nil,
        mayDecline: Bool = true, body: @escaping @Sendable (Bench) throws -> Double
    ) {
        self.name = name
        self.tolerance = tolerance
        self.query = query
        self.mayDecline = mayDecline
        self.body = body
    }

    /// Runs the case and gives everything it made back.
    func run(on bench: Bench) -> ConformanceResult {
        defer { bench.clear() }
        do {
            try ask(bench)
            let error = try body(bench)
            let outcome: ConformanceResult.Outcome = error <= tolerance ? .passed : .failed
            return ConformanceResult(
                name: name, outcome: outcome, error: error, tolerance: tolerance)
        } catch let skip as Skip {
            return ConformanceResult(
                name: name, outcome: .skipped, tolerance: tolerance, message: skip.description)
        } catch {
            return ConformanceResult(
                name: name, outcome: .failed, tolerance: tolerance, message: "\(error)")
        }
    }

    private func ask(_ bench: Bench) throws {
        guard var query else { return }
        var error = posed_error()
        let answer = bench.plugin.table.pointee.supports?(bench.device, &query, &error) ?? 0
        guard answer == 0 else { return }
        try expect(mayDecline, "supports says no to what every backend serves: \(error.text)")
        try expect(!error.text.isEmpty, "supports says no and not why")
        throw Skip(error.text)
    }
}

extension posed_op_query {
    /// A query about `op` with operands of the given types and the sizes that decide.
    init(
        _ op: posed_op, x: ElementType, y: ElementType, compute: ElementType = .f32,
        sizes: [Int]
    ) {
        self.init()
        self.op = op.rawValue
        x_dtype = x.rawValue
        y_dtype = y.rawValue
        self.compute = compute.rawValue
        for (index, size) in sizes.prefix(4).enumerated() { set(&self.sizes, index, Int64(size)) }
    }
}
