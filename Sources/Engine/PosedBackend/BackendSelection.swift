import Foundation

/// Which device of which plugin is wanted: `auto`, `cpu`, `cuda:1`.
package struct BackendSelection: Hashable, Sendable, CustomStringConvertible {
    /// The plugin's name, or nil for the best that this machine can use.
    package let plugin: String?
    /// Which of the plugin's devices, from 0.
    package let index: Int

    /// The first device of the plugin that scores highest.
    package static let automatic = BackendSelection(plugin: nil, index: 0)

    /// Device `index` of `plugin`.
    package init(plugin: String?, index: Int = 0) {
        self.plugin = plugin
        self.index = index
    }

    /// Reads `auto`, `NAME` or `NAME:INDEX`.
    ///
    /// - Throws: `.invalidArgument`.
    package init(parsing text: String) throws(BackendError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let name = parts.first.map(String.init) ?? ""
        let index = parts.count == 2 ? Int(parts[1]) : 0
        let plain = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        guard parts.count <= 2, !name.isEmpty, plain, let index, index >= 0,
            index <= Int(Int32.max), name != "auto" || parts.count == 1
        else {
            throw BackendError(
                .invalidArgument,
                "backend \"\(text)\": expected auto, a name such as cpu, or a name and the number"
                    + " of a device such as cuda:1")
        }
        self.plugin = name == "auto" ? nil : Self.current(name)
        self.index = index
    }

    /// The name of today for a plugin that had another one; says so once in a process.
    private static func current(_ name: String) -> String {
        guard name == "onednn" else { return name }
        _ = renamed
        return "cpu"
    }

    /// Warns when it is first read.
    private static let renamed: Void = FileHandle.standardError.write(
        Data("Warning: the backend onednn is called cpu now, and cpu is used.\n".utf8))

    /// The form that ``init(parsing:)`` reads.
    package var description: String {
        guard let plugin else { return "auto" }
        return index == 0 ? plugin : "\(plugin):\(index)"
    }
}
