internal import Glibc
internal import PosedBackend
package import PosedBase
internal import PosedTelemetry

extension Codec<String> {
    /// An IP address.
    static var host: Codec {
        .scalar("an IP address", read: canonicalHost, write: quoted)
    }

    /// An IP address as the system writes it; nil for a text that is none.
    private static func canonicalHost(_ text: String) -> String? {
        var (four, six) = (in_addr(), in6_addr())
        var characters = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let size = socklen_t(characters.count)
        if inet_pton(AF_INET, text, &four) == 1 {
            inet_ntop(AF_INET, &four, &characters, size)
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            inet_ntop(AF_INET6, &six, &characters, size)
        } else {
            return nil
        }
        let bytes = characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Any text that is not empty.
    package static func text(_ expectation: String) -> Codec {
        .scalar(expectation, read: { $0.isEmpty ? nil : $0 }, write: quoted)
    }

    /// Absolute paths: a daemon has no folder that a path in its file could be relative to. In flags a path may be
    /// relative to the folder that the command is given in.
    package static func path(_ what: String) -> Codec {
        .scalar(
            "the absolute path of \(what)", isPath: true,
            read: { $0.hasPrefix("/") && !$0.contains("\0") ? $0 : nil }, write: quoted)
    }

    /// Where parts of a model run, as `posekit --backend` takes it; `auto` for the best of this machine. Copies
    /// of the model are joined by `+`.
    package static var placement: Codec {
        .scalar(
            "auto, a backend such as cpu, one for each part such as vae=cpu,transformer=cuda, or such a place "
                + "for each copy of the model such as cuda:0+cuda:1",
            read: { (try? Placement.copies(parsing: $0)) != nil ? $0 : nil },
            write: { $0 })
    }

    /// What parts of a model compute in, as `posekit --dtype` takes it.
    package static var types: Codec {
        .scalar(
            "auto, \(PartTypes.choices.map(\.name).joined(separator: ", ")), or a type for each part such as "
                + "i8,encoders=bf16",
            read: { (try? PartTypes(parsing: $0)) != nil ? $0 : nil },
            write: { $0 })
    }

    /// A text as YAML reads it back.
    static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "/._-".utf8.contains(byte)
        }
        if plain, text.utf8.first != UInt8(ascii: "-") { return text }
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}

extension Codec where Value: RawRepresentable<String> & CaseIterable {
    /// One of a few words.
    package static var choice: Codec {
        let words = Value.allCases.map(\.rawValue)
        return .scalar(
            "one of \(words.joined(separator: ", "))", read: { Value(rawValue: $0) },
            write: { $0.rawValue })
    }
}

extension Codec<HostPort> {
    /// A host and a port.
    package static var address: Codec<HostPort> {
        .scalar(
            "an address such as 127.0.0.1:9464 or [::1]:9464",
            read: HostPort.init(parsing:), write: { "\"\($0)\"" })
    }
}

extension Codec<CollectorAddress> {
    /// A collector of traces.
    static var collector: Codec {
        .scalar(
            "an address such as http://127.0.0.1:4318/v1/traces",
            read: CollectorAddress.init(parsing:),
            write: { Codec<String>.quoted($0.description) })
    }
}

extension Codec<IdentityPattern> {
    /// Who may call.
    package static var identity: Codec {
        .scalar(
            "an identity", read: IdentityPattern.init(parsing:),
            write: { Codec<String>.quoted($0.description) })
    }
}
