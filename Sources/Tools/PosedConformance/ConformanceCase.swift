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
    /// The type of the products' operands, where the case has products.
    let compute: ElementType?
    /// Whether every device may decline the query.
    let isOptional: Bool
    /// The minor version of the interface that brought what is tried.
    let minor: UInt32
    /// Does the work and returns the error found.
    let body: @Sendable (Bench) throws -> Double

    init(
        _ name: String, tolerance: Double = 0, query: posed_op_query? = nil,
        compute: ElementType? = nil, isOptional: Bool = false, minor: UInt32 = 0,
        body: @escaping @Sendable (Bench) throws -> Double
    ) {
        self.name = name
        self.tolerance = tolerance
        self.query = query
        self.compute = compute
        self.isOptional = isOptional
        self.minor = minor
        self.body = body
    }

    /// Runs the case and gives everything it made back.
    func run(on bench: Bench) -> ConformanceResult {
        defer { bench.clear() }
        var measured: Double?
        do {
            let abi = BackendABI(rawValue: bench.plugin.table.pointee.abi)
            if abi.minor < minor {
                throw Skip("the plugin was built for ABI \(abi), and this came with minor \(minor)")
            }
            if let reason = try refusal(bench) {
                try tryDeclined(bench)
                throw Skip(reason)
            }
            let error = try body(bench)
            measured = error
            try expect(error <= tolerance, "error \(error), tolerance \(tolerance)")
            return ConformanceResult(
                name: name, outcome: .passed, error: error, tolerance: tolerance)
        } catch {
            return ConformanceResult(
                name: name, outcome: error is Skip ? .skipped : .failed, error: measured,
                tolerance: tolerance, message: "\(error)")
        }
    }

    /// Why the device does not serve the case's operation, or nil when it does.
    private func refusal(_ bench: Bench) throws -> String? {
        guard var query else { return nil }
        var error = posed_error()
        let answer = bench.plugin.table.pointee.supports?(bench.device, &query, &error) ?? 0
        if let compute, !bench.computes(compute) {
            try expect(
                answer == 0, "supports says yes to \(compute), which device_info does not list")
        }
        guard answer == 0 else { return nil }
        try expect(mayDecline(bench), "supports says no to what it must serve: \(error.text)")
        try expect(!error.text.isEmpty, "supports says no and not why")
        return error.text
    }

    /// float32 is served by all; the operations with a compute type serve it pure when it is listed.
    private func mayDecline(_ bench: Bench) -> Bool {
        guard let query, !isOptional else { return true }
        let output = query.op == POSED_OP_QUANTIZE.rawValue ? query.x_dtype : query.y_dtype
        guard query.x_dtype == output else { return true }
        guard let compute else { return query.x_dtype != ElementType.f32.rawValue }
        return query.x_dtype != compute.carrier.rawValue || !bench.computes(compute)
    }

    /// What is declined when asked is declined when tried, too, or done right.
    private func tryDeclined(_ bench: Bench) throws {
        do {
            let error = try body(bench)
            try expect(error <= tolerance, "supports says no, yet the work is done, and wrong")
        } catch let error as BackendError {
            try expect(
                error.code == .unsupported || error.code == .invalidArgument,
                "supports says no, and trying gives \(error.code): \(error)")
        }
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
