import CPosedBackend

extension BackendPlugin {
    /// Asks the plugin, in this process, whether it can serve here. Hosts ask through
    /// ``PluginProber`` instead, which survives a plugin that does not.
    ///
    /// - Throws: what the plugin reports.
    package func probe() throws(BackendError) -> ProbeReport {
        var result = posed_probe_result()
        try BackendError.check("\(name): probe") { table.pointee.probe(&result, $0) }
        let summary = withUnsafeBytes(of: result.summary) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return ProbeReport(
            score: Int(result.score), devices: Int(result.devices), version: version,
            summary: summary)
    }
}
