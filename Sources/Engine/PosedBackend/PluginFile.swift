package import CPosedBackend
import Foundation

/// The folders in which backend plugins are looked for, the most wanted first.
package struct PluginSearchPath: Sendable, Equatable {
    /// The variable that names more folders, separated by colons.
    package static let environmentVariable = "POSED_BACKEND_PATH"
    /// The folder in which packages install plugins.
    package static let systemFolder = "/usr/lib/posed/backends"

    /// Absolute paths of folders, in order.
    package let folders: [String]

    /// Exactly these folders. Relative ones are left out: the current directory never matters.
    package init(folders: [String]) {
        var seen: Set<String> = []
        self.folders = folders.filter { $0.hasPrefix("/") }
            .map { URL(fileURLWithPath: $0).standardizedFileURL.path }
            .filter { seen.insert($0).inserted }
    }

    /// The usual order: `explicit`, `POSED_BACKEND_PATH`, the folder of the running executable,
    /// `../lib/posed/backends` seen from there, and the system's folder.
    ///
    /// - Parameters:
    ///   - explicit: a folder that the user named on the command line.
    ///   - environment: the process's environment.
    ///   - executable: the running executable; in tests, the bundle beside the plugins.
    package static func standard(
        explicit: String? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        executable: String? = runningExecutable
    ) -> PluginSearchPath {
        var folders: [String] = []
        if let explicit { folders.append(URL(fileURLWithPath: explicit).path) }
        folders += environment[environmentVariable, default: ""].split(separator: ":")
            .map(String.init)
        if let executable {
            let folder = (executable as NSString).deletingLastPathComponent
            folders += [folder, folder + "/../lib/posed/backends"]
        }
        return PluginSearchPath(folders: folders + [systemFolder])
    }

    /// The running executable's path, links resolved.
    package static var runningExecutable: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    /// The plugins found, sorted by name within a folder; of one name, the first found counts.
    package func plugins() -> [PluginFile] {
        var seen: Set<String> = []
        return folders.flatMap { folder in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.sorted().compactMap { try? PluginFile(path: folder + "/" + $0) }
        }.filter { seen.insert($0.name).inserted }
    }
}

/// A file that may be a backend plugin: `libposed-backend-NAME.so`.
package struct PluginFile: Hashable, Sendable {
    /// The prefix of every plugin's file name.
    package static let prefix = "libposed-backend-"
    /// The suffix of every plugin's file name.
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

/// The checks that a plugin's table must pass before any of its functions is called.
package struct PluginCheck {
    /// The file that the table came from.
    package let file: PluginFile
    /// The version that the host speaks.
    package let host: BackendABI

    /// Checks for `file`, on behalf of a host of the version `host`.
    package init(file: PluginFile, host: BackendABI = .host) {
        self.file = file
        self.host = host
    }

    /// - Throws: `.incompatible`, with what was expected and what came.
    package func check(_ table: UnsafePointer<posed_backend>) throws(BackendError) {
        // The first two fields are the same in every version; nothing else is read before they fit.
        let abi = BackendABI(rawValue: table.pointee.abi)
        guard abi.fits(host) else {
            throw refusal("was built for ABI \(abi), and this host speaks \(host)")
        }
        let size = MemoryLayout<posed_backend>.size
        guard table.pointee.struct_size == UInt32(size) else {
            throw refusal(
                "its table has \(table.pointee.struct_size) bytes, and ABI \(host) has \(size)")
        }
        guard let name = table.pointee.name.map({ String(cString: $0) }) else {
            throw refusal("has no name")
        }
        guard name == file.name else {
            throw refusal("calls itself \"\(name)\", and its file says \"\(file.name)\"")
        }
        if let slot = Self.firstEmptySlot(table) {
            throw refusal("its table has no function \(slot)")
        }
    }

    private func refusal(_ reason: String) -> BackendError {
        BackendError(.incompatible, "\(file.fileName): \(reason)")
    }

    private static func firstEmptySlot(_ table: UnsafePointer<posed_backend>) -> String? {
        let words = UnsafeRawPointer(table)
        guard let first = MemoryLayout<posed_backend>.offset(of: \.probe) else { return nil }
        for (index, slot) in slots.enumerated() where !optional.contains(slot) {
            let offset = first + index * MemoryLayout<UInt>.size
            if words.load(fromByteOffset: offset, as: UInt.self) == 0 { return slot }
        }
        return nil
    }

    /// The functions of the table, in its order.
    package static let slots = [
        "probe", "device_open", "device_close", "device_info", "supports",
        "buffer_create", "buffer_destroy", "buffer_map", "upload", "download",
        "stream_create", "stream_destroy", "stream_synchronize",
        "event_create", "event_destroy", "event_record", "event_wait", "event_synchronize",
        "capture_begin", "capture_end", "graph_launch", "graph_destroy",
        "weight_create_linear", "weight_create_conv2d", "weight_destroy", "weight_bytes",
        "linear", "conv2d", "group_norm", "layer_norm", "attention", "copy", "combine", "activate",
        "glu", "quantize",
    ]

    private static let optional: Set<String> = ["buffer_map"]
}
