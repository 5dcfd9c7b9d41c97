import Foundation

/// A certificate authority of a test's own, by way of the command `openssl`.
struct Authority {
    /// A command that failed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// For how long a certificate is good.
    enum Validity {
        case tomorrow
        /// It ended in the past.
        case expired
    }

    let folder: TemporaryFolder
    private let name: String
    /// The authority's certificate.
    var roots: String { folder["\(name).pem"] }

    init(_ name: String, in folder: TemporaryFolder) throws {
        self.folder = folder
        self.name = name
        try Authority.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=\(name)", "-keyout", folder["\(name).key"],
            "-out", folder["\(name).pem"])
    }

    /// Writes the certificate and key of `holder` to files of that name.
    func issue(
        _ holder: String, names: String = "DNS:localhost,IP:127.0.0.1",
        validity: Validity = .tomorrow
    ) throws -> (certificate: String, key: String) {
        let (certificate, key) = (folder["\(holder).crt"], folder["\(holder).crt.key"])
        let (request, extensions) = (folder["\(holder).csr"], folder["\(holder).ext"])
        try Authority.openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/O=Posed/CN=\(holder)", "-keyout", key, "-out", request)
        try "subjectAltName=\(names)\n".write(
            toFile: extensions, atomically: false, encoding: .utf8)
        var arguments = [
            "x509", "-req", "-in", request, "-CA", roots, "-CAkey", folder["\(name).key"],
            "-CAcreateserial", "-extfile", extensions, "-out", certificate,
        ]
        switch validity {
        case .tomorrow: arguments += ["-days", "1"]
        case .expired: arguments += ["-days", "-1"]
        }
        try Authority.openssl(arguments)
        return (certificate, key)
    }

    private static func openssl(_ arguments: String...) throws { try openssl(arguments) }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "openssl \(arguments.joined(separator: " "))")
        }
    }
}
