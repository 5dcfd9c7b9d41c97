internal import PosedRPC
internal import PosedServing

extension ServingCore {
    package func reload(_ configuration: DaemonConfiguration) async throws {
        guard let running else { return }
        // All that can fail comes first; what follows cannot.
        try configuration.checkDefaults { try running.engine.check($0, within: $1) }
        let policy = try policy(configuration)
        let before = running.engine.limits
        try running.engine.adopt(configuration.servingLimits)
        do {
            try running.server.reloadFiles()
        } catch {
            try? running.engine.adopt(before)
            throw error
        }
        running.access.policy = policy
        running.serving.requestDefaults = configuration.requestDefaults
    }
}
