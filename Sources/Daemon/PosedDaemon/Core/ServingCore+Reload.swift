internal import PosedHTTP
internal import PosedRPC
internal import PosedServing

extension ServingCore {
    package func reload(_ configuration: DaemonConfiguration) async throws {
        guard let running else { return }
        // All that can fail comes first; what follows cannot.
        let shares = try configuration.memoryShares(idle: running.idleMemory)
        try configuration.checkDefaults { try running.engine.check($0, within: $1) }
        let tokens = try running.access.tokens.prepare(
            path: configuration[Settings.Authentication.tokensFile])
        let before = running.engine.limits
        try running.engine.adopt(configuration.servingLimits(shares))
        do {
            try running.server.reloadCertificates()
            try running.http?.reloadCertificates()
        } catch {
            try? running.engine.adopt(before)
            throw error
        }
        tokens?()
        running.access.policy = policy(configuration)
        endRevokedCalls()
        running.serving.requestDefaults = configuration.requestDefaults
        adopt(configuration)
    }

    /// Ends the calls of those who could not make them any more: a token was removed, or a list of who may call
    /// changed.
    func endRevokedCalls() {
        guard let running else { return }
        running.server.revoke { (request) throws(RPCError) in
            try running.access.identity(request)
        }
        running.http?.revoke()
    }
}
