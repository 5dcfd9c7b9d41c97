internal import Glibc
internal import PosedAccounts

/// One connection of TLS: a socket to the client, and one end of a pair of sockets of which the library has the
/// other. What comes in on one side goes out on the other, decrypted or encrypted.
///
/// Neither side runs ahead of the other by more than a buffer: who is slow slows the other side down.
final class TLSConnection {
    /// Bytes on their way from one side to the other.
    private struct Passage: ~Copyable {
        /// A record of TLS.
        static let capacity = 16 << 10
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        private var range = 0..<0

        deinit { memory.deallocate() }

        var isEmpty: Bool { range.isEmpty }
        var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[range]) }

        mutating func fill(_ count: Int) { range = 0..<count }
        mutating func drop(_ count: Int) { range = range.lowerBound + count..<range.upperBound }
    }

    /// What is left to do after a turn.
    enum Turn: Equatable {
        /// Nothing until one of the sockets is ready.
        case waits
        /// More is there; others have their turn first.
        case goesOn
        /// Both sides are done, or one broke.
        case over
    }

    /// Buffers that a connection may fill in one turn.
    private static let buffersOfTurn = 32

    let socket: Descriptor
    let session: TLSSession
    let store: CertificateStore
    private(set) var peer: Peer
    /// Our end of the pair; nil until the handshake is done.
    private(set) var pair: Descriptor?
    /// What to call at the end; nil until the library serves the connection.
    private var gone: (@Sendable () -> Void)?
    private var hold: Hold?
    /// When a client that does not take the last bytes is given up; nil while the library has its end open.
    private(set) var deadline: ContinuousClock.Instant?

    private var toLibrary = Passage()
    private var toClient = Passage()
    /// The session waits for this before it reads on.
    private var sessionWantsWrite = false
    private var clientHasEnded = false
    private var libraryHasEnded = false
    private var isBroken = false

    init(_ socket: Descriptor, _ session: TLSSession, _ peer: Peer, _ store: CertificateStore) {
        self.socket = socket
        self.session = session
        self.peer = peer
        self.store = store
    }

    /// Takes note of the certificate that the client has shown. To be called after the handshake.
    func identify() { peer.certificate = session.certificate }

    /// The library serves the connection at the other end of `pair`.
    func open(_ pair: Descriptor, hold: Hold, gone: @escaping @Sendable () -> Void) {
        self.pair = pair
        self.hold = hold
        self.gone = gone
    }

    /// Tells the library and the account that the connection is over; returns whether it was served.
    func end() -> Bool {
        defer { gone = nil }
        if isBroken == false { session.close() }
        gone?()
        hold?.release()
        return gone != nil
    }

    /// The connection is of no more use.
    func breakOff() { isBroken = true }

    /// Whether the client's socket is to be read, and to be written to.
    var waitsForClient: (readable: Bool, writable: Bool) {
        (
            toLibrary.isEmpty && !clientHasEnded && !libraryHasEnded,
            !toClient.isEmpty || sessionWantsWrite
        )
    }

    /// Whether the library's socket is to be read, and to be written to.
    var waitsForLibrary: (readable: Bool, writable: Bool) {
        (toClient.isEmpty && !libraryHasEnded, !toLibrary.isEmpty)
    }

    /// Passes on what can be passed on without waiting.
    func pump() -> Turn {
        guard let pair else { return .waits }
        for _ in 0..<TLSConnection.buffersOfTurn {
            let received = receive()
            let delivered = deliver(to: pair)
            let fetched = fetch(from: pair)
            let sent = send()
            if isBroken || libraryHasEnded && toClient.isEmpty { return .over }
            guard received || delivered || fetched || sent else { return .waits }
        }
        return .goesOn
    }

    /// From the client's socket into the buffer; whether something came.
    private func receive() -> Bool {
        guard toLibrary.isEmpty, !clientHasEnded, !libraryHasEnded else { return false }
        sessionWantsWrite = false
        switch session.read(into: toLibrary.memory) {
        case .done(let count):
            toLibrary.fill(count)
            return true
        case .wantsRead: break
        case .wantsWrite: sessionWantsWrite = true
        case .ended:
            clientHasEnded = true
            if let pair { shutdown(pair.number, Int32(SHUT_WR)) }
        case .failed: isBroken = true
        }
        return false
    }

    /// From the buffer to the library.
    private func deliver(to pair: Descriptor) -> Bool {
        guard !toLibrary.isEmpty else { return false }
        let bytes = toLibrary.bytes
        let count = Glibc.send(
            pair.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if count > 0 {
            toLibrary.drop(count)
            return true
        }
        // The library has closed its end: what the client sends goes nowhere.
        if errno != EAGAIN, errno != EINTR { toLibrary.fill(0) }
        return false
    }

    /// From the library into the other buffer.
    private func fetch(from pair: Descriptor) -> Bool {
        guard toClient.isEmpty, !libraryHasEnded else { return false }
        let memory = toClient.memory
        let count = recv(pair.number, memory.baseAddress, memory.count, Int32(MSG_DONTWAIT))
        if count > 0 {
            toClient.fill(count)
            return true
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return false }
        libraryHasEnded = true
        return false
    }

    /// From the buffer to the client's socket.
    private func send() -> Bool {
        guard !toClient.isEmpty else { return false }
        switch session.write(toClient.bytes) {
        case .done(let count):
            toClient.drop(count)
            return true
        case .wantsRead, .wantsWrite: return false
        case .ended, .failed:
            isBroken = true
            return false
        }
    }

    /// The library's end is closed: the client has until `end` to take what is left.
    func linger(until end: ContinuousClock.Instant) {
        if deadline == nil { deadline = end }
    }
}
