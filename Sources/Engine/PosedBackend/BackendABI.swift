import CPosedBackend

/// A version of the plugin interface: `major.minor`.
package struct BackendABI: Hashable, Sendable, CustomStringConvertible {
    /// Both numbers as they cross the border: the major version in the upper 16 bits.
    package let rawValue: UInt32

    /// The version that this host was built with.
    package static let host = BackendABI(
        rawValue: UInt32(POSED_BACKEND_ABI_MAJOR) << 16 | UInt32(POSED_BACKEND_ABI_MINOR))

    /// A version from its packed form.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Versions of different major numbers do not understand each other.
    package var major: UInt32 { rawValue >> 16 }
    /// A host serves plugins up to its own minor number.
    package var minor: UInt32 { rawValue & 0xffff }

    /// `major.minor`.
    package var description: String { "\(major).\(minor)" }

    /// Whether a plugin of this version fits a host of the version `host`.
    package func fits(_ host: BackendABI) -> Bool {
        major == host.major && minor <= host.minor
    }
}
