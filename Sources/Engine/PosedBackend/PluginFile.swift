import Foundation

/// A file that may be a backend plugin: `libposed-backend-NAME.so`.
package struct PluginFile: Hashable, Sendable {
    /// What the name of every plugin's file starts with.
    package static let prefix = "libposed-backend-"
    /// What the name of every plugin's file ends with.
    package static let suffix = ".so"

    /// The file, as an absolute path.
    package let path: String
    /// The NAME in the file's name, which the plugin must call itself.
    package let name: String

    /// The last component of `path`.
    package var fileName: String { Self.prefix + name + Self.suffix }

    /// - Throws: `.invalidArgument` when the last component is not `libposed-backend-NAME.so`.
    package init(path: String) throws(BackendError) {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        let file = url.lastPathComponent
        guard file.hasPrefix(Self.prefix), file.hasSuffix(Self.suffix),
            file.count > Self.prefix.count + Self.suffix.count
        else {
            throw BackendError(
                .invalidArgument,
                "\(file): a backend plugin is called \(Self.prefix)NAME\(Self.suffix)")
        }
        self.path = url.path
        self.name = String(file.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
    }

    /// Checks that the file is a regular file which, for a host that runs as root, only trusted users
    /// can replace: neither the file nor its folder may be writable by everyone.
    ///
    /// - Throws: `.notFound` or `.incompatible`.
    package func checkTrust(asRoot: Bool = geteuid() == 0) throws(BackendError) {
        guard let file = Self.mode(path), file & S_IFMT == S_IFREG else {
            throw BackendError(.notFound, "\(path): no such file")
        }
        guard asRoot else { return }
        let folder = (path as NSString).deletingLastPathComponent
        for (what, mode) in [(path, file), (folder, Self.mode(folder) ?? 0)]
        where mode & S_IWOTH != 0 {
            throw BackendError(
                .incompatible,
                "\(fileName): \(what) is writable by everyone, so root does not load plugins from it"
            )
        }
    }

    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }
}
