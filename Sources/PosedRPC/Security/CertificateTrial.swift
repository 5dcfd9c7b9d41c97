/// Tries certificates out before a server relies on them.
enum CertificateTrial {
    /// Lets the library build from `material` what a handshake needs, on a socket that nobody knows.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when it cannot.
    static func check(
        _ store: CertificateStore, _ material: CertificateStore.Material, ledger: Ledger
    ) throws(RPCError) {
        let trial = CertificateStore(store.files, material, ledger: ledger)
        let queue = try CompletionQueue(name: "posed-rpc-trial", ledger: ledger)
        let server = try CoreServer(options: TransportOptions(), queues: [queue], ledger: ledger)
        defer {
            server.start()
            server.stop {}
        }
        let credentials = try ServerCredentials(trial, ledger: ledger)
        let name = UInt64.random(in: .min ... .max)
        guard server.addPort("unix-abstract:posed-trial-\(name)", credentials) != nil else {
            throw RPCError(.failedPrecondition, unusable(store.files))
        }
    }

    /// What to say of files that the library refuses.
    private static func unusable(_ files: ServerSecurity.TLS) -> String {
        "the certificate \(files.identity.certificate) and the key \(files.identity.key)"
            + (files.clientRoots.map { " with the client authorities \($0)" } ?? "")
            + " do not make a usable set: expected PEM of a certificate chain and of the private"
            + " key that belongs to its first certificate"
    }
}
