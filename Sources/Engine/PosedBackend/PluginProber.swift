import Foundation

/// Probes plugins in child processes, all at once: a plugin that crashes, hangs or leaves takes its
/// own child down and nothing else.
package struct PluginProber: Sendable {
    /// The executable that understands `probe-backend PATH`.
    package let helper: String
    /// How long one probe may take.
    package let timeLimit: Duration
    /// The environment of the children.
    package let environment: [String: String]

    /// - Throws: `.notFound` when `helper` is nil and no executable can be found that would do.
    package init(
        helper: String? = nil, timeLimit: Duration = .seconds(ProbeChild.timeLimit),
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(BackendError) {
        guard let found = helper ?? Self.standardHelper else {
            throw BackendError(
                .notFound, "no posekit beside this program; it is needed to probe backends")
        }
        self.helper = found
        self.timeLimit = timeLimit
        self.environment = environment
    }

    /// The running executable when it is one of this project's, else the `posekit` beside it.
    private static var standardHelper: String? {
        guard let own = PluginSearchPath.runningExecutable else { return nil }
        if ["posekit", "posed"].contains((own as NSString).lastPathComponent) { return own }
        let sibling = (own as NSString).deletingLastPathComponent + "/posekit"
        return FileManager.default.isExecutableFile(atPath: sibling) ? sibling : nil
    }

    /// One report per file, in order.
    package func probe(_ files: [PluginFile]) -> [ProbeReport] {
        var children: [Int: ProbeProcess] = [:]
        var reports: [Int: ProbeReport] = [:]
        for (index, file) in files.enumerated() {
            do throws(BackendError) {
                try file.checkTrust()
                children[index] = try ProbeProcess(
                    helper: helper, file: file, environment: environment)
            } catch {
                reports[index] = ProbeReport(refusal: error)
            }
        }
        let deadline = ContinuousClock.now + timeLimit
        return files.indices.map { index in
            if let report = reports[index] { return report }
            guard let child = children[index] else {
                return ProbeReport(refusal: BackendError(.internal, "the probe was not started"))
            }
            do throws(BackendError) {
                return try child.finish(by: deadline, limit: timeLimit)
            } catch {
                return ProbeReport(refusal: error)
            }
        }
    }
}
