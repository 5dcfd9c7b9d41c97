import PosedBase

/// The bytes with which a proxy begins a connection that it opens for somebody else: version 2 of the PROXY protocol of
/// HAProxy.
package enum ProxyHeader {
    /// Whom a proxy speaks for.
    package enum Origin: Equatable, Sendable {
        /// For itself: a check of its own.
        case proxy
        /// For a client at this address, `192.0.2.1:40000` or `[2001:db8::1]:40000`.
        case client(String)
    }

    /// What the first bytes show.
    package enum Verdict: Equatable, Sendable {
        /// A header of so many bytes.
        case complete(length: Int, Origin)
        /// Right so far, but not complete.
        case undecided
        case wrong
    }

    /// The most bytes that a header has here; those beyond the addresses are of no use to a daemon.
    package static let greatestLength = 2048
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    private static let fixedLength = 16

    /// Judges the bytes that have come so far.
    package static func judge(_ bytes: [UInt8]) -> Verdict {
        let beginning = bytes.prefix(signature.count)
        guard beginning.elementsEqual(signature.prefix(beginning.count)) else { return .wrong }
        guard bytes.count >= fixedLength else { return .undecided }
        let (version, command) = (bytes[12] >> 4, bytes[12] & 15)
        let length = fixedLength + (Int(bytes[14]) << 8 | Int(bytes[15]))
        guard version == 2, command <= 1, length <= greatestLength else { return .wrong }
        guard bytes.count >= length else { return .undecided }
        // A family that is none of TCP is a proxy's that does not know its client.
        guard command == 1, [0x11, 0x21].contains(bytes[13]) else {
            return .complete(length: length, .proxy)
        }
        guard let client = client(bytes[13], Array(bytes[fixedLength..<length])) else {
            return .wrong
        }
        return .complete(length: length, .client(client))
    }

    /// The client's address; nil for one that is cut short.
    private static func client(_ family: UInt8, _ addresses: [UInt8]) -> String? {
        func port(at index: Int) -> Int {
            Int(addresses[index]) << 8 | Int(addresses[index + 1])
        }
        switch family {
        case 0x11 where addresses.count >= 12:
            let host = addresses[..<4].map { String($0) }.joined(separator: ".")
            return HostPort(host: host, port: port(at: 8)).description
        case 0x21 where addresses.count >= 36:
            let host = SocketAddress.text(ofIPv6: Array(addresses[..<16]))
            return HostPort(host: host, port: port(at: 32)).description
        default: return nil
        }
    }
}
