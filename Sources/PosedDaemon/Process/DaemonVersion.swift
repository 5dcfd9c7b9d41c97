/// The version of the daemon.
package enum DaemonVersion {
    /// As `--version` prints it.
    package static let current = "0.1.0"
}
