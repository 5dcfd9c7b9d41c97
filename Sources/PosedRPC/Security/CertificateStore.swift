internal import CPosedGRPC
internal import Synchronization

/// The certificates that a server shows, renewed when their files change.
///
/// The library asks before each handshake and gets what the store holds then; connections that exist
/// keep what they began with. A new set is taken only when the library can serve it: a key that does
/// not fit its certificate, or a file half written, leaves the old set in use.
///
/// Sendable because everything that changes is behind the lock.
final class CertificateStore: @unchecked Sendable {
    /// The texts of one version of the files.
    private struct Material: Hashable {
        let roots: String?
        let key: String
        let chain: String
    }

    private struct State {
        var material: Material
        /// Counts the versions; what the library was last given.
        var version = 1
        var given = 0
        /// The files as they were last looked at, good or bad.
        var seen: [FileSignature?]
    }

    /// What clients must show.
    enum Policy {
        case ignored
        case optional
        case required

        var native: posed_grpc_client_certificate {
            switch self {
            case .ignored: POSED_GRPC_CLIENT_CERTIFICATE_IGNORED
            case .optional: POSED_GRPC_CLIENT_CERTIFICATE_OPTIONAL
            case .required: POSED_GRPC_CLIENT_CERTIFICATE_REQUIRED
            }
        }
    }

    let files: ServerSecurity.TLS
    let policy: Policy
    /// The store's number in the registry, by which the library's callback finds it.
    let number: UInt64
    private let state: Mutex<State>

    /// Reads the files. The library's check is the bind of the port that uses the store.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when a file cannot be read, or clients are to be
    ///   verified without an authority.
    init(_ files: ServerSecurity.TLS) throws(RPCError) {
        guard files.clientRoots != nil || !files.requiresClientCertificate else {
            throw RPCError(
                .failedPrecondition,
                "to require certificates of clients the file of their authorities must be named")
        }
        self.files = files
        policy =
            files.clientRoots == nil
            ? .ignored : files.requiresClientCertificate ? .required : .optional
        let seen = CertificateStore.look(files)
        let material = try CertificateStore.read(files)
        state = Mutex(State(material: material, seen: seen))
        number = CertificateRegistry.shared.reserve()
        CertificateRegistry.shared.register(self)
    }

    deinit {
        CertificateRegistry.shared.remove(number)
    }

    /// Reads the files again if any has changed since they were last looked at, or in any case.
    ///
    /// - Returns: whether new certificates are in use from now on.
    /// - Throws: `RPCError` with `failedPrecondition` when the files are no good; the old ones stay.
    func reload(always: Bool, ledger: Ledger) throws(RPCError) -> Bool {
        let now = CertificateStore.look(files)
        let changed = state.withLock { state in
            defer { state.seen = now }
            return state.seen != now
        }
        guard changed || always else { return false }
        let material = try CertificateStore.read(files)
        guard state.withLock({ $0.material != material }) else { return false }
        try CertificateTrial.check(files, ledger: ledger)
        state.withLock { state in
            state.material = material
            state.version += 1
        }
        return true
    }

    /// Hands the library what it does not have yet.
    func fetch(into sink: OpaquePointer) -> posed_grpc_fetch_result {
        let material: Material? = state.withLock { state in
            guard state.given != state.version else { return nil }
            state.given = state.version
            return state.material
        }
        guard let material else { return POSED_GRPC_FETCH_UNCHANGED }
        if let roots = material.roots {
            posed_grpc_certificate_sink_put(sink, roots, material.key, material.chain)
        } else {
            posed_grpc_certificate_sink_put(sink, nil, material.key, material.chain)
        }
        return POSED_GRPC_FETCH_NEW
    }

    private static func look(_ files: ServerSecurity.TLS) -> [FileSignature?] {
        [files.identity.certificate, files.identity.key, files.clientRoots].map { path in
            path.flatMap { FileSignature($0) }
        }
    }

    private static func read(_ files: ServerSecurity.TLS) throws(RPCError) -> Material {
        let roots: String? =
            if let path = files.clientRoots { try PEMFile.read(path) } else { nil }
        return Material(
            roots: roots, key: try PEMFile.read(files.identity.key),
            chain: try PEMFile.read(files.identity.certificate))
    }
}

/// Finds stores by number, so that a handshake that outlives its server finds nothing.
final class CertificateRegistry: Sendable {
    private struct WeakStore {
        weak var store: CertificateStore?
    }

    private struct State {
        var last: UInt64 = 0
        var stores: [UInt64: WeakStore] = [:]
    }

    static let shared = CertificateRegistry()
    private let state = Mutex(State())

    private init() {
        posed_grpc_set_certificate_fetch { number, sink in
            guard let sink, let store = CertificateRegistry.shared.find(number) else {
                return POSED_GRPC_FETCH_FAILED
            }
            return store.fetch(into: sink)
        }
    }

    /// A number that no other store has.
    func reserve() -> UInt64 {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    func register(_ store: CertificateStore) {
        let entry = WeakStore(store: store)
        let number = store.number
        state.withLock { $0.stores[number] = entry }
    }

    func remove(_ number: UInt64) {
        state.withLock { _ = $0.stores.removeValue(forKey: number) }
    }

    private func find(_ number: UInt64) -> CertificateStore? {
        state.withLock { $0.stores[number]?.store }
    }
}
