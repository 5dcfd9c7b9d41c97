internal import CPosedTLS

/// What a server shows in the handshakes of TLS, and what it asks of clients.
///
/// Sendable because OpenSSL's contexts may be used from any thread once they are made.
final class TLSContext: @unchecked Sendable {
    /// The texts of one version of the files, PEM each.
    struct Material: Hashable {
        /// The authorities of clients; nil asks no client for a certificate.
        let roots: String?
        let key: String
        let chain: String
        let requiresClientCertificate: Bool
        /// Whether HTTP/1.1 is spoken; HTTP/2 otherwise.
        let speaksHTTP1: Bool
    }

    fileprivate let handle: OpaquePointer

    /// - Throws: the reason, in OpenSSL's words, why the texts do not make a usable set.
    init(_ material: Material) throws(Refusal) {
        let client =
            material.roots == nil
            ? POSED_TLS_CLIENT_IGNORED
            : material.requiresClientCertificate
                ? POSED_TLS_CLIENT_REQUIRED : POSED_TLS_CLIENT_OPTIONAL
        var reason = [CChar](repeating: 0, count: 256)
        let made = withOptional(material.roots) { roots in
            posed_tls_context_create(
                material.chain, material.key, roots, client,
                material.speaksHTTP1 ? POSED_TLS_HTTP1 : POSED_TLS_HTTP2, &reason, reason.count)
        }
        guard let made else { throw Refusal(reason: String(reason)) }
        handle = made
    }

    deinit {
        posed_tls_context_destroy(handle)
    }

    /// Texts that make no usable set.
    struct Refusal: Error {
        let reason: String
    }
}

/// The TLS of one connection. One thread uses it at a time.
final class TLSSession {
    /// What a step came to.
    enum Outcome: Equatable {
        /// So many bytes were read or written; 0 where the step was a handshake.
        case done(Int)
        /// Nothing more until the socket is readable.
        case wantsRead
        /// Nothing more until the socket is writable.
        case wantsWrite
        /// The peer sends no more.
        case ended
        /// The session is over, for this reason.
        case failed(String)
    }

    private let handle: OpaquePointer

    /// The session of a connected socket, which outlives it. Nil when memory is short.
    init?(_ context: TLSContext, _ descriptor: Descriptor) {
        guard let made = posed_tls_session_create(context.handle, descriptor.number) else {
            return nil
        }
        handle = made
    }

    deinit {
        posed_tls_session_destroy(handle)
    }

    /// Takes the handshake as far as the socket lets it.
    func handshake() -> Outcome { outcome(posed_tls_handshake(handle), 0) }

    /// Reads what has come, one byte at least and as many as there is room for.
    func read(into target: UnsafeMutableRawBufferPointer) -> Outcome {
        var count = 0
        let result = posed_tls_read(handle, target.baseAddress, target.count, &count)
        return outcome(result, count)
    }

    /// Writes some of these bytes. What was not written must be offered again before anything else.
    func write(_ source: UnsafeRawBufferPointer) -> Outcome {
        var count = 0
        let result = posed_tls_write(handle, source.baseAddress, source.count, &count)
        return outcome(result, count)
    }

    /// Tells the peer that no more will come.
    func close() { posed_tls_close(handle) }

    /// Whether a handshake with `context` would let this peer in with what it has shown.
    func suits(_ context: TLSContext) -> Bool { posed_tls_session_suits(handle, context.handle) }

    /// The names in the peer's certificate; nil when it has shown none.
    var certificate: Peer.Certificate? {
        final class Found {
            var subject: String?
            var commonName: String?
            var alternativeNames: [String] = []
        }
        let found = Found()
        posed_tls_visit_names(handle, Unmanaged.passUnretained(found).toOpaque()) {
            visitor, kind, text in
            guard let visitor, let text else { return }
            let found = Unmanaged<Found>.fromOpaque(visitor).takeUnretainedValue()
            let name = String(cString: text)
            switch kind {
            case POSED_TLS_SUBJECT: found.subject = name
            case POSED_TLS_COMMON_NAME: found.commonName = name
            default: found.alternativeNames.append(name)
            }
        }
        return withExtendedLifetime(found) {
            guard
                let subject = found.subject ?? found.commonName ?? found.alternativeNames.first
            else { return nil }
            return Peer.Certificate(
                subject: subject, commonName: found.commonName,
                alternativeNames: found.alternativeNames)
        }
    }

    private func outcome(_ result: posed_tls_result, _ count: Int) -> Outcome {
        switch result {
        case POSED_TLS_DONE: return .done(count)
        case POSED_TLS_WANTS_READ: return .wantsRead
        case POSED_TLS_WANTS_WRITE: return .wantsWrite
        case POSED_TLS_ENDED: return .ended
        default:
            var reason = [CChar](repeating: 0, count: 256)
            posed_tls_reason(&reason, reason.count)
            return .failed(String(reason))
        }
    }
}

extension String {
    /// The text of a buffer up to its zero.
    fileprivate init(_ buffer: [CChar]) {
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        self.init(decoding: bytes, as: UTF8.self)
    }
}
