internal import Glibc

/// Files of PEM text.
enum PEMFile {
    /// Where Debian and its relatives keep the authorities that the machine trusts.
    static let systemRoots = "/etc/ssl/certs/ca-certificates.crt"

    /// More than any chain of certificates or bundle of roots has.
    private static let largest = 4 << 20

    /// The text of the file at `path`.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when it cannot be read or is no PEM text.
    static func read(_ path: String) throws(RPCError) -> String {
        let text = try TextFile.read(path, atMost: largest)
        guard text.contains("-----BEGIN ") else {
            throw RPCError(.failedPrecondition, "\(path) holds no PEM text")
        }
        return text
    }
}
