import Foundation

/// The folders in which backend plugins are looked for, the most wanted first.
package struct PluginSearchPath: Sendable, Equatable {
    /// The variable that names more folders, separated by colons.
    package static let environmentVariable = "POSED_BACKEND_PATH"
    /// Where packages install plugins.
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
