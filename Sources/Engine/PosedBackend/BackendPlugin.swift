package import CPosedBackend
import Foundation

/// A plugin that is loaded, checked, and stays loaded for the life of the process.
///
/// Loading runs the library's constructors. A plugin that has not been probed in a child process
/// first (``PluginProbe``) can take the host down here.
///
/// `@unchecked Sendable`: the table is constant memory of the library, and its functions say
/// themselves which threads may call them.
package final class BackendPlugin: @unchecked Sendable {
    /// The plugin's functions; every slot is set but those that the header calls optional.
    package let table: UnsafePointer<posed_backend>
    /// The plugin's name, equal to the NAME of its file.
    package let name: String
    /// The plugin's version, for people.
    package let version: String
    /// The library's absolute path.
    package let path: String

    /// Loads the plugin at `path` and checks that it fits this host.
    ///
    /// - Throws: `.notFound`, `.invalidArgument` or `.incompatible`.
    package convenience init(path: String) throws(BackendError) {
        try self.init(loading: PluginFile(path: path))
    }

    /// Loads `file` and checks that it fits this host.
    ///
    /// - Throws: `.notFound` or `.incompatible`.
    package init(loading file: PluginFile) throws(BackendError) {
        try file.checkTrust()
        guard let library = dlopen(file.path, RTLD_NOW | RTLD_LOCAL) else {
            throw BackendError(.incompatible, "\(file.fileName): \(Self.loaderMessage())")
        }
        // The library is never closed, not even when it is refused: a library that started threads
        // or registered handlers does not survive that.
        guard let symbol = dlsym(library, "posed_backend_entry") else {
            throw BackendError(
                .incompatible, "\(file.fileName): exports no function posed_backend_entry")
        }
        typealias Entry = @convention(c) (UInt32) -> UnsafePointer<posed_backend>?
        let entry = unsafeBitCast(symbol, to: Entry.self)
        let host = BackendABI.host
        guard let table = entry(host.rawValue) else {
            throw BackendError(
                .incompatible, "\(file.fileName): says that it does not fit a host of ABI \(host)")
        }
        try PluginCheck(file: file, host: host).check(table)
        self.table = table
        self.name = file.name
        self.version = table.pointee.version.map { String(cString: $0) } ?? ""
        self.path = file.path
    }

    /// A plugin that is no library: a table of the process's own, which must live as long as it does.
    package init(table: UnsafePointer<posed_backend>, name: String) {
        self.table = table
        self.name = name
        self.version = table.pointee.version.map { String(cString: $0) } ?? ""
        self.path = ""
    }

    private static func loaderMessage() -> String {
        dlerror().map { String(cString: $0) } ?? "the library cannot be loaded"
    }
}

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

extension BackendPlugin {
    /// Asks the plugin, in this process, whether it can serve here. Hosts ask through
    /// ``PluginProber`` instead, which survives a plugin that does not.
    ///
    /// - Throws: what the plugin reports.
    package func probe() throws(BackendError) -> ProbeReport {
        var result = posed_probe_result()
        try BackendError.check("\(name): probe") { table.pointee.probe(&result, $0) }
        let summary = withUnsafeBytes(of: result.summary) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return ProbeReport(
            score: Int(result.score), devices: Int(result.devices), version: version,
            summary: summary)
    }
}
