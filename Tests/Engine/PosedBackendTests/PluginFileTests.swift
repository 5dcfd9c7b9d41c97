import Foundation
import PosedBackend
import Testing

@Suite struct PluginFileTests {
    @Test func nameComesFromTheFile() throws {
        let file = try PluginFile(path: "/opt/x/../y/libposed-backend-cuda-12.so")
        #expect(file.name == "cuda-12")
        #expect(file.path == "/opt/y/libposed-backend-cuda-12.so")
        #expect(file.fileName == "libposed-backend-cuda-12.so")
    }

    @Test(arguments: [
        "/opt/libposed-backend-.so", "/opt/posed-backend-blas.so", "/opt/libposed-backend-blas",
        "/opt/libposed-backend-blas.so.1", "", "/",
    ])
    func otherNamesAreRefused(path: String) {
        let error = #expect(throws: BackendError.self) { try PluginFile(path: path) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func missingFileIsNotFound() throws {
        let file = try PluginFile(path: "/nowhere/libposed-backend-x.so")
        let error = #expect(throws: BackendError.self) { try file.checkTrust() }
        #expect(error?.code == .notFound)
    }

    @Test func rootRefusesWhatEveryoneCanWrite() throws {
        try Plugins.withFolder { folder in
            let file = try PluginFile(path: folder + "/libposed-backend-x.so")
            try Data().write(to: URL(fileURLWithPath: file.path))
            func permit(_ path: String, _ mode: Int) throws {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            }
            try permit(file.path, 0o755)
            #expect(throws: Never.self) { try file.checkTrust(asRoot: true) }

            try permit(file.path, 0o777)
            let error = #expect(throws: BackendError.self) { try file.checkTrust(asRoot: true) }
            #expect(error?.code == .incompatible)
            #expect(error?.message.contains("writable by everyone") == true)
            #expect(throws: Never.self) { try file.checkTrust(asRoot: false) }

            try permit(file.path, 0o755)
            try permit(folder, 0o777)
            #expect(throws: BackendError.self) { try file.checkTrust(asRoot: true) }
            try permit(folder, 0o700)
        }
    }

    @Test func folderIsNoPlugin() throws {
        try Plugins.withFolder { folder in
            let path = folder + "/libposed-backend-x.so"
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
            let file = try PluginFile(path: path)
            #expect(throws: BackendError.self) { try file.checkTrust() }
        }
    }
}
