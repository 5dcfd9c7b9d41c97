/// The version of the client.
package enum PosectlVersion {
    /// As `--version` prints it: that of the daemon it is built with.
    package static let current = "0.1.0"
}
