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
