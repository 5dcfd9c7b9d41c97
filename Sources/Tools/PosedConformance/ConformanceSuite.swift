import CPosedBackend
package import PosedBackend

/// Every case that a backend plugin is held to.
package enum ConformanceSuite {
    /// All cases, in the order they run.
    package static var cases: [ConformanceCase] {
        linearCases + conv2dCases + groupNormCases + layerNormCases + attentionCases + copyCases
            + elementwiseCases + notANumberCases + invarianceCases + graphCases + streamCases
            + memoryCases
            + refusalCases
    }

    /// Runs all cases whose name contains `filter` on one device.
    ///
    /// - Parameters:
    ///   - index: which of the plugin's devices.
    ///   - progress: told each result as it comes.
    /// - Throws: ``BackendError`` when the device cannot be opened.
    package static func run(
        _ plugin: BackendPlugin, index: Int = 0, filter: String? = nil,
        progress: (ConformanceResult) -> Void = { _ in }
    ) throws -> ConformanceReport {
        let bench = try Bench(plugin, index: index)
        var report = ConformanceReport(
            backend: plugin.name, device: text(bench.info.name),
            numerics: text(bench.info.numerics), results: [])
        for test in cases where filter.map(test.name.contains) ?? true {
            let result = test.run(on: bench)
            progress(result)
            report.results.append(result)
        }
        return report
    }

    /// A zero-terminated C array as a string.
    static func text<CharacterArray>(_ array: CharacterArray) -> String {
        withUnsafeBytes(of: array) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// One thing that a backend must do, and the check that it does.
package struct ConformanceCase: Sendable {
    /// What is tried, such as `linear f32 b2 t7 k33 n5 silu`.
    package let name: String
    /// The greatest error that passes; 0 where equal bits are asked for.
    package let tolerance: Double

    /// The operation that the device must support for the case to make sense, if any.
    let query: posed_op_query?
    /// The type of the products' operands, where the case has products.
    let compute: DType?
    /// Whether every device may decline the query.
    let isOptional: Bool
    /// The minor version of the interface that brought what is tried.
    let minor: UInt32
    /// Does the work and returns the error found.
    let body: @Sendable (Bench) throws -> Double

    init(
        _ name: String, tolerance: Double = 0, query: posed_op_query? = nil,
        compute: DType? = nil, isOptional: Bool = false, minor: UInt32 = 0,
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
        guard let compute else { return query.x_dtype != DType.f32.rawValue }
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
        _ op: posed_op, x: DType, y: DType, compute: DType = .f32,
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

/// What came of one case.
package struct ConformanceResult: Codable, Sendable {
    /// How a case ended.
    package enum Outcome: String, Codable, Sendable {
        /// Within its tolerance.
        case passed
        /// Wrong, or refused.
        case failed
        /// The device says that it does not serve this.
        case skipped
    }

    /// The case's name.
    package var name: String
    /// How it ended.
    package var outcome: Outcome
    /// The error measured, if the case got that far; not finite errors are left out.
    package var error: Double?
    /// The greatest error that passes.
    package var tolerance: Double
    /// Why it failed or was skipped.
    package var message: String?

    init(
        name: String, outcome: Outcome, error: Double? = nil, tolerance: Double,
        message: String? = nil
    ) {
        self.name = name
        self.outcome = outcome
        self.error = error.flatMap { $0.isFinite ? $0 : nil }
        self.tolerance = tolerance
        self.message = message
    }
}

/// What came of all cases on one device.
package struct ConformanceReport: Codable, Sendable {
    /// The plugin's name.
    package var backend: String
    /// The device's name.
    package var device: String
    /// The device's class of results.
    package var numerics: String
    /// One entry per case, in the suite's order.
    package var results: [ConformanceResult]

    /// The cases that ended as `outcome`.
    package func results(_ outcome: ConformanceResult.Outcome) -> [ConformanceResult] {
        results.filter { $0.outcome == outcome }
    }

    /// Whether nothing failed and something passed.
    package var passed: Bool {
        results(.failed).isEmpty && !results(.passed).isEmpty
    }
}

/// What a case found wrong, in one sentence.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A case that this device does not claim to serve, and why.
struct Skip: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// `value`, or a failure that says `message`.
func expect<T>(_ value: T?, _ message: @autoclosure () -> String) throws -> T {
    guard let value else { throw Failure(message()) }
    return value
}

/// Fails with `message` unless `condition` holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    guard condition else { throw Failure(message()) }
}

/// How far a result is from its reference.
package enum Deviation {
    /// The greater of two measures: the relative L2 error of the whole, and a quarter of the worst
    /// element's error relative to its own size plus the root mean square of all. A single wrong
    /// element cannot hide in the first; rounding near zero does not trip the second. Infinite when a
    /// finite value was expected and none came.
    package static func of(_ result: [Float], _ reference: [Double]) -> Double {
        guard result.count == reference.count, !result.isEmpty else { return .infinity }
        var (error, power) = (0.0, 0.0)
        for (y, r) in zip(result, reference) {
            error += (Double(y) - r) * (Double(y) - r)
            power += r * r
        }
        guard error.isFinite else { return .infinity }
        let floor = 1e-6
        let size = (power / Double(reference.count)).squareRoot() + floor
        var worst = 0.0
        for (y, r) in zip(result, reference) {
            worst = max(worst, abs(Double(y) - r) / (abs(r) + size))
        }
        let whole = (error / Double(reference.count)).squareRoot() / size
        return max(whole, worst / 4)
    }
}
