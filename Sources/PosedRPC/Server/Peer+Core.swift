extension Peer {
    /// The other end of a call over TCP, with the names of its certificate if it has shown one.
    init(of call: CoreCall) {
        let text = call.peer
        let address: Address =
            if let tcp = SocketAddress.text(ofLibraryPeer: text) { .tcp(tcp) } else { .other(text) }
        self.init(address: address, certificate: Certificate(properties: call.peerProperties))
    }
}

extension Peer.Certificate {
    /// The names of the library's properties of a certificate.
    private enum Property {
        static let subject = "x509_subject"
        static let commonName = "x509_common_name"
        static let alternativeName = "x509_subject_alternative_name"
    }

    /// Nil when the properties are not those of a certificate.
    init?(properties: [(name: String, value: String)]) {
        func values(_ name: String) -> [String] {
            properties.filter { $0.name == name }.map(\.value)
        }
        let commonName = values(Property.commonName).first
        let alternativeNames = values(Property.alternativeName)
        guard let subject = values(Property.subject).first ?? commonName ?? alternativeNames.first
        else { return nil }
        self.init(subject: subject, commonName: commonName, alternativeNames: alternativeNames)
    }
}
