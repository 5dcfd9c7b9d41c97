/// What is known of a call before its first message: the same from its beginning to its end.
package struct ServerRequest: Sendable {
    /// The call's name in logs and trailers: the client's `x-request-id`, or one of our own.
    package let id: String
    /// "/package.Service/Method".
    package let method: String
    /// The host that the client meant.
    package let authority: String
    /// The client's metadata.
    package let metadata: Metadata
    package let peer: Peer
    /// When the client gives up; nil when it waits forever.
    package let deadline: ContinuousClock.Instant?
    /// When the call came.
    package let arrival: ContinuousClock.Instant

    package init(
        id: String, method: String, authority: String = "", metadata: Metadata = Metadata(),
        peer: Peer, deadline: ContinuousClock.Instant? = nil,
        arrival: ContinuousClock.Instant = .now
    ) {
        self.id = id
        self.method = method
        self.authority = authority
        self.metadata = metadata
        self.peer = peer
        self.deadline = deadline
        self.arrival = arrival
    }
}

extension ServerRequest {
    /// The key of a request's id in the client's metadata and in every trailer.
    package static let idKey = "x-request-id"

    init(_ incoming: IncomingCall, peer: Peer) {
        let now = ContinuousClock.now
        self.init(
            id: ServerRequest.id(from: incoming.metadata), method: incoming.method,
            authority: incoming.authority, metadata: incoming.metadata, peer: peer,
            deadline: incoming.timeLeft.map { now.advanced(by: $0) }, arrival: now)
    }

    /// The client's id if it is fit for a line of a log, else sixteen random hexadecimal digits.
    package static func id(from metadata: Metadata) -> String {
        if let given = metadata[idKey], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        {
            return given
        }
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
