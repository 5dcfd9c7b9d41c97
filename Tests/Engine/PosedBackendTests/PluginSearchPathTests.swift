import Foundation
import PosedBackend
import Testing

@Suite struct PluginSearchPathTests {
    @Test func orderIsExplicitEnvironmentExecutableSystem() {
        let search = PluginSearchPath.standard(
            explicit: "/a", environment: ["POSED_BACKEND_PATH": "/b:/c"],
            executable: "/opt/bin/posekit")
        #expect(
            search.folders == [
                "/a", "/b", "/c", "/opt/bin", "/opt/lib/posed/backends", "/usr/lib/posed/backends",
            ])
    }

    @Test func currentDirectoryNeverCounts() {
        let search = PluginSearchPath.standard(
            environment: ["POSED_BACKEND_PATH": ":.:plugins::/b:"], executable: nil)
        #expect(search.folders == ["/b", "/usr/lib/posed/backends"])
        #expect(PluginSearchPath(folders: ["", ".", "x/y"]).folders.isEmpty)
    }

    @Test func firstOfOneNameCountsAndOtherFilesDoNot() throws {
        try Plugins.withFolder { first in
            try Plugins.withFolder { second in
                for path in [
                    "\(first)/libposed-backend-b.so", "\(first)/readme.txt",
                    "\(second)/libposed-backend-b.so", "\(second)/libposed-backend-a.so",
                ] {
                    try Data().write(to: URL(fileURLWithPath: path))
                }
                let plugins = PluginSearchPath(folders: [first, "/nowhere", second]).plugins()
                #expect(
                    plugins.map(\.path) == [
                        "\(first)/libposed-backend-b.so", "\(second)/libposed-backend-a.so",
                    ])
            }
        }
    }

    @Test func pluginsOfTheBuildAreFound() {
        let names = PluginSearchPath(folders: [Plugins.folder]).plugins().map(\.name)
        #expect(names.contains("example"))
        #expect(names.contains("crashing"))
    }
}
